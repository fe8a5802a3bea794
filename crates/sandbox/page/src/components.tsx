// Components of messages: rows, buttons and menus, and Components V2.

import { createContext } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { busy, buy, failed, useComponent } from './actions';
import { EmojiView } from './emoji';
import { Icon } from './icons';
import { AttachmentView, Picture } from './media';
import { Rich } from './rich';
import { Select, itemsOf } from './select';
import { findChannel, guildOf } from './store';
import { color, line, safeUrl } from './text';
import type { Component, Message } from './types';

const Of = createContext<Message | null>(null);

export function Components({ message }: { message: Message }) {
  if (!message.components.length) return null;
  const error = failed.value.get(message.id);
  return (
    <Of.Provider value={message}>
      <div class="components">
        {message.components.map((component, index) => <One key={component.id ?? index} component={component} />)}
      </div>
      {error && <div class="component-error" role="alert">{line(error)}</div>}
    </Of.Provider>
  );
}

function One({ component }: { component: Component }) {
  const message = useContext(Of)!;
  const channel = findChannel(message.channel_id);
  switch (component.type) {
    case 1:
      return <div class="action-row">{component.components?.map((inner, index) => <One key={inner.id ?? index} component={inner} />)}</div>;
    case 2:
      return <Button component={component} />;
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return <Menu component={component} />;
    case 9:
      return (
        <div class="section">
          <div class="section-text">{component.components?.map((inner, index) => <One key={inner.id ?? index} component={inner} />)}</div>
          {component.accessory && <One component={component.accessory} />}
        </div>
      );
    case 10:
      return <div class="text-display"><Rich text={component.content ?? ''} channel={channel} /></div>;
    case 11:
      return <Hidden hidden={component.spoiler}>{component.media && <Picture media={component.media} alt={component.description ?? ''} most={85} tallest={85} />}</Hidden>;
    case 12:
      return (
        <div class={`gallery gallery-${Math.min(component.items?.length ?? 0, 4)}`}>
          {component.items?.map((item, index) => (
            <Hidden key={index} hidden={item.spoiler}><Picture media={item.media} alt={item.description ?? ''} cover={(component.items?.length ?? 0) > 1} /></Hidden>
          ))}
        </div>
      );
    case 13: {
      const url = component.file?.url ?? '';
      const name = component.name ?? decodeURIComponent(url.split('/').at(-1) ?? 'file');
      return <AttachmentView file={{ id: String(component.id), filename: name, size: component.size ?? 0, url, flags: component.spoiler ? 8 : 0 }} />;
    }
    case 14:
      return <hr class={`separator ${component.divider === false ? 'blank' : ''} ${component.spacing === 2 ? 'wide' : ''}`} aria-hidden="true" />;
    case 17:
      return (
        <Hidden hidden={component.spoiler}>
          <div class="container" style={typeof component.accent_color === 'number' ? { borderLeftColor: color(component.accent_color) } : undefined} data-accent={typeof component.accent_color === 'number'}>
            {component.components?.map((inner, index) => <One key={inner.id ?? index} component={inner} />)}
          </div>
        </Hidden>
      );
    default:
      return <div class="muted">This page does not know components of type {component.type}.</div>;
  }
}

function Hidden({ hidden, children }: { hidden?: boolean; children: preact.ComponentChildren }) {
  const [shown, show] = useState(!hidden);
  if (shown) return <>{children}</>;
  return <button type="button" class="spoiler-file" onClick={() => show(true)}>Spoiler</button>;
}

const STYLES = ['', 'primary', 'secondary', 'success', 'danger', 'link', 'premium'];

function Button({ component }: { component: Component }) {
  const message = useContext(Of)!;
  const inner = (
    <>
      {component.emoji && <EmojiView emoji={component.emoji} />}
      {component.label && <span>{line(component.label)}</span>}
    </>
  );
  const name = component.label ?? component.emoji?.name ?? 'Button';
  if (component.url) {
    return (
      <a class={`button secondary link ${component.disabled ? 'disabled' : ''}`} href={component.disabled ? undefined : safeUrl(component.url)} target="_blank" rel="noreferrer noopener" aria-disabled={component.disabled}>
        {inner} <Icon name="external" size={16} />
      </a>
    );
  }
  if (component.sku_id) {
    return <button type="button" class="button premium" disabled={component.disabled} onClick={() => void buy(message, component.sku_id!)}>Upgrade</button>;
  }
  const waits = busy.value.has(`${message.id}/${component.custom_id}`);
  return (
    <button
      type="button" class={`button ${STYLES[component.style ?? 2]} ${waits ? 'waits' : ''}`} disabled={component.disabled} aria-busy={waits} aria-label={line(name)}
      onClick={() => void useComponent(message, component.custom_id!)}
    >
      <span class="button-inner">{inner}</span>
      {waits && <span class="dots" aria-hidden="true"><i /><i /><i /></span>}
    </button>
  );
}

function Menu({ component }: { component: Component }) {
  const message = useContext(Of)!;
  const channel = findChannel(message.channel_id);
  return (
    <Select
      select={component} items={itemsOf(component, guildOf(channel), channel)} label={line(component.placeholder ?? 'Make a selection')}
      disabled={component.disabled} busy={busy.value.has(`${message.id}/${component.custom_id}`)}
      onChoose={(values) => void useComponent(message, component.custom_id!, values)}
    />
  );
}

