import './style.css';
import './parts.css';
import './narrow.css';
// The start: the ticket in the address becomes a secret, the stream is opened, and the page is drawn.

import { effect } from '@preact/signals';
import { options, render } from 'preact';
import { useEffect } from 'preact/hooks';
import { Admin } from './admin';
import { watchBot } from './bot';
import * as api from './api';
import { Composer } from './composer';
import { Dialogs } from './dialogs';
import { Drawer } from './drawer';
import { drawer } from './drawer-state';
import { Forum } from './forum';
import { Header } from './header';
import { Icon, IconButton } from './icons';
import { MessageList } from './list';
import { Members, membersShown } from './members';
import { Popups } from './menus';
import { ModalBox } from './modal';
import { EmojiPicker } from './picker';
import { Search, searchShown } from './search';
import { Shot, shot } from './shot';
import { applyTheme, ChannelBar, GuildBar, navigation } from './sidebar';
import { channel, connection, guild, me, open, toast, unread } from './store';
import { line } from './text';
import { setUpVoice } from './voice';

function App() {
  const here = channel.value;
  const state = connection.value;
  if (state.state === 'refused') return <Stop reason={state.reason ?? ''} />;
  if (!me.value) return <div class="splash" role="status"><span class="dots"><i /><i /><i /></span> Connecting…</div>;
  if (shot.value) return <Shot />;
  const forum = here && (here.type === 15 || here.type === 16);
  return (
    <div class={`app ${navigation.value ? 'navigating' : ''} ${drawer.value ? 'with-drawer' : ''}`}>
      <GuildBar />
      <ChannelBar />
      <main class="main">
        <Header channel={here} />
        {state.state === 'lost' && <div class="banner" role="alert">The connection to the sandbox is lost. Trying again…</div>}
        <div class="columns">
          <div class="chat">
            {!here && <div class="splash muted">Choose a channel.</div>}
            {here && forum && guild.value && <Forum channel={here} guild={guild.value} />}
            {here && !forum && here.type !== 4 && <><MessageList key={here.id} channel={here} /><Composer channel={here} /></>}
          </div>
          {searchShown(guild.value) ? <Search key={guild.value.id} guild={guild.value} /> : membersShown.value && guild.value && <Members guild={guild.value} />}
        </div>
        <Popups />
        <EmojiPicker />
        <Toast />
      </main>
      {drawer.value && <Drawer />}
      {navigation.value && <button type="button" class="shade" aria-label="Close the channel list" onClick={() => (navigation.value = false)} />}
      <ModalBox />
      <Dialogs />
      <Admin />
    </div>
  );
}

function Toast() {
  const shown = toast.value;
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => (toast.value = null), shown.bad ? 8000 : 3000);
    return () => clearTimeout(timer);
  }, [shown]);
  if (!shown) return null;
  return (
    <div class={`toast ${shown.bad ? 'bad' : ''}`} role={shown.bad ? 'alert' : 'status'}>
      <span>{line(shown.text)}</span>
      <IconButton name="close" label="Close" size={16} onClick={() => (toast.value = null)} />
    </div>
  );
}

function Stop({ reason }: { reason: string }) {
  return (
    <main class="splash stop">
      <Icon name="lock" size={48} />
      <h1>This page needs an address with a ticket</h1>
      <p>{line(reason)}</p>
      <p>In a terminal, <code class="inline">sandbox page</code> prints one (in Hotcord’s folder: <code class="inline">./dev-env.sh page</code>). It is good once, for one tab.</p>
    </main>
  );
}

// A page that is not seen is not drawn. What has changed is drawn when it is seen again.
options.debounceRendering = (draw) => {
  if (document.hidden) document.addEventListener('visibilitychange', draw, { once: true });
  else queueMicrotask(draw);
};

async function start(): Promise<void> {
  applyTheme();
  effect(() => {
    const count = [...unread.value.values()].reduce((sum, one) => sum + one, 0);
    const name = channel.value?.name;
    document.title = `${count ? `(${count}) ` : ''}${name ? `#${name} | ` : ''}Sandbox`;
  });
  render(<App />, document.getElementById('app')!);
  setUpVoice();
  try {
    const parameters = await api.enter();
    if (!api.currentSecret()) {
      connection.value = { state: 'refused', reason: 'The address had none.' };
      return;
    }
    if (parameters.get('theme')) applyTheme(parameters.get('theme')!);
    const wanted = parameters.get('shot');
    if (wanted) shot.value = { id: wanted, whole: parameters.get('whole') === '1' };
    let user = parameters.get('as') ?? sessionStorage.getItem('as');
    if (!user) {
      const people: { username: string; bot?: boolean }[] = await api.get('users');
      user = people.find((one) => !one.bot)?.username ?? '';
    }
    open(user);
    me.subscribe((own) => { if (own) sessionStorage.setItem('as', own.id); });
    await watchBot();
  } catch (error) {
    connection.value = { state: 'refused', reason: (error as Error).message };
  }
}

void start();
