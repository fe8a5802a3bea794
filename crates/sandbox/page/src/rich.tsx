// Markdown as elements.

import { useState } from 'preact/hooks';
import type { ComponentChild } from 'preact';
import { highlight } from './highlight';
import { isOnlyEmojis, parse, type Node, type Rules } from './markdown';
import { colorOf, findChannel, goTo, guildOf, nameOf, themeNow, userOf } from './store';
import { color, fullText, line, plain, readable, safeUrl, timestamp } from './text';
import type { Channel, Guild } from './types';
import { openProfile } from './menus';

interface Around {
  guild: Guild | null;
}

export function Rich({ text, channel, rules, jumbo }: { text: string; channel: Channel | null; rules?: Rules; jumbo?: boolean }) {
  const nodes = parse(text, rules);
  const around = { guild: guildOf(channel) };
  if (jumbo && isOnlyEmojis(nodes)) return <span class="jumbo">{draw(nodes, around)}</span>;
  return <>{draw(nodes, around)}</>;
}

function draw(nodes: Node[], around: Around): ComponentChild[] {
  return nodes.map((node) => one(node, around));
}

function one(node: Node, around: Around): ComponentChild {
  switch (node.t) {
    case 'text':
      return plain(node.text);
    case 'br':
      return <br />;
    case 'strong':
      return <strong>{draw(node.kids, around)}</strong>;
    case 'em':
      return <em>{draw(node.kids, around)}</em>;
    case 'u':
      return <u>{draw(node.kids, around)}</u>;
    case 's':
      return <s>{draw(node.kids, around)}</s>;
    case 'spoiler':
      return <Spoiler>{draw(node.kids, around)}</Spoiler>;
    case 'quote':
      return (
        <div class="quote">
          <blockquote>{draw(node.kids, around)}</blockquote>
        </div>
      );
    case 'small':
      return <small class="subtext">{draw(node.kids, around)}</small>;
    case 'heading':
      return <div class={`md-h${node.level}`}>{draw(node.kids, around)}</div>;
    case 'list': {
      const items = node.items.map((item) => <li>{draw(item, around)}</li>);
      return node.ordered ? <ol start={node.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case 'code':
      return <code class="inline">{plain(node.text)}</code>;
    case 'block':
      return (
        <pre class="code-block" tabIndex={0} aria-label={node.lang ? `Code, ${node.lang}` : 'Code'}>
          <code>{highlight(node.text, node.lang)}</code>
        </pre>
      );
    case 'link':
      return (
        <a href={safeUrl(node.url)} target="_blank" rel="noreferrer noopener" title={node.url}>
          {draw(node.kids, around)}
        </a>
      );
    case 'user': {
      const user = userOf(node.id);
      if (!user) return <span class="mention">@unknown-user</span>;
      return (
        <button type="button" class="mention" onClick={(event) => openProfile(event, user)}>
          @{line(nameOf(user, around.guild))}
        </button>
      );
    }
    case 'role': {
      const role = around.guild?.roles.find((role) => role.id === node.id);
      if (!role) return <span class="mention">@unknown-role</span>;
      return (
        <span class="mention" style={role.color ? { color: readable(role.color, themeNow.value), background: `${color(role.color)}22` } : undefined}>
          @{line(role.name)}
        </span>
      );
    }
    case 'channel': {
      const found = findChannel(node.id);
      if (!found) return <span class="mention"># unknown</span>;
      return (
        <button type="button" class="mention" onClick={() => goTo(found.id)}>
          # {line(found.name)}
        </button>
      );
    }
    case 'guild':
      return <span class="mention">{({ customize: 'Channels & Roles', browse: 'Browse Channels', guide: 'Server Guide', home: 'Server Guide' } as Record<string, string>)[node.id] ?? 'Linked Roles'}</span>;
    case 'command':
      return <span class="mention">/{line(node.name)}</span>;
    case 'emoji':
      return <img class="emoji" src={`/emojis/${node.id}.${node.animated ? 'gif' : 'png'}`} alt={`:${node.name}:`} title={`:${node.name}:`} draggable={false} />;
    case 'time':
      return (
        <time class="timestamp" dateTime={isoOf(node.seconds)} title={titleOf(node.seconds)}>
          {timestamp(node.seconds, node.format)}
        </time>
      );
    case 'everyone':
      return <span class="mention">{node.text}</span>;
  }
}

function isoOf(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function titleOf(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : fullText(date);
}

function Spoiler({ children }: { children: ComponentChild }) {
  const [shown, show] = useState(false);
  if (shown) return <span class="spoiler shown">{children}</span>;
  return (
    <span
      class="spoiler" role="button" tabIndex={0} aria-label="Spoiler" aria-expanded={false}
      onClick={(event) => { event.preventDefault(); show(true); }}
      onKeyDown={(event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); show(true); } }}
    >
      <span aria-hidden="true">{children}</span>
    </span>
  );
}

/** A name in the colour of its highest role. */
export function Name({ user, guild, onClick }: { user: { id: string; username: string; global_name: string | null }; guild: Guild | null; onClick?: (event: MouseEvent) => void }) {
  const role = colorOf(user.id, guild);
  const name = line(nameOf(user as never, guild));
  const style = role ? { color: readable(role, themeNow.value) } : undefined;
  if (!onClick) return <span class="name" style={style}>{name}</span>;
  return <button type="button" class="name" style={style} onClick={onClick}>{name}</button>;
}
