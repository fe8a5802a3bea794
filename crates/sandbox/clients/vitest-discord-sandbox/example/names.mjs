// Leads names that are built into a library to the sandbox: node --import ./names.mjs bot.js
import net from 'node:net';

const names = new Set(['discord.com', 'gateway.discord.gg', 'cdn.discordapp.com']);
const { port } = new URL(process.env.SANDBOX_URL);
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  // Node's own callers pass their arguments as one list, whose first is the options.
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  if (names.has(options?.host)) Object.assign(options, { host: '127.0.0.1', port });
  return connect.apply(this, args);
};
