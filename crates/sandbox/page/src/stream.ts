// The websocket of /sandbox/stream: what changes, the log, and the sound of voice channels.

import { currentSecret } from './api';

export type Handler = {
  message: (message: any) => void;
  sound: (frame: ArrayBuffer) => void;
  state: (state: 'open' | 'lost' | 'refused', reason?: string) => void;
};

export class Stream {
  private socket: WebSocket | null = null;
  private run = '';
  private at = 0;
  private wait = 250;
  private logFrom: number | null = null;
  private listening = false;
  private botLast: number | null = null;
  private refused = false;

  constructor(
    private user: string,
    private readonly handler: Handler,
  ) {
    this.connect();
  }

  private connect(): void {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/sandbox/stream`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => {
      const resume = this.run ? { run: this.run, n: this.at } : undefined;
      socket.send(JSON.stringify({ secret: currentSecret(), as: this.user, resume }));
    };
    socket.onmessage = ({ data }) => {
      if (typeof data !== 'string') return this.handler.sound(data);
      const message = JSON.parse(data);
      if (message.type === 'view' || message.type === 'resumed') this.opened();
      if (message.type === 'view') this.run = message.run;
      if (typeof message.n === 'number') this.at = message.n;
      if (message.type === 'log' && message.entries.length) this.logFrom = message.entries.at(-1).n + 1;
      if (message.type === 'refused' && this.wait) {
        this.refused = true;
        this.handler.state('refused', message.error);
        return;
      }
      this.handler.message(message);
    };
    socket.onclose = () => {
      if (this.socket !== socket || this.refused) return;
      this.handler.state('lost');
      setTimeout(() => this.connect(), (this.wait = Math.min(this.wait ? this.wait * 2 : 250, 5000)));
    };
  }

  private opened(): void {
    this.wait = 0;
    this.handler.state('open');
    if (this.logFrom !== null) this.send({ do: 'log', from: this.logFrom });
    if (this.listening) this.send({ do: 'listen', on: true });
    if (this.botLast !== null) this.bot(this.botLast);
  }

  private send(wish: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(wish));
  }

  become(user: string): void {
    this.user = user;
    // What another user has seen is no start for this one.
    this.run = '';
    this.send({ do: 'as', user });
  }

  log(from: number | null): void {
    this.logFrom = from;
    this.send({ do: 'log', from });
  }

  bot(last: number): void {
    this.botLast = last;
    // The last ones come again.
    this.handler.message({ type: 'bot', event: null });
    this.send({ do: 'bot', last });
  }

  listen(on: boolean): void {
    this.listening = on;
    this.send({ do: 'listen', on });
  }
}
