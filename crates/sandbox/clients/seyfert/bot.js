// An ordinary seyfert bot; only the first lines differ from one for discord.com. REST takes another address as `domain`. Of
// the gateway's address seyfert uses the host name alone, with TLS on port 443, and offers no option for it: so the agent of
// Node.js, which it uses, takes it to the sandbox.
const https = require('node:https');
const net = require('node:net');
const { ApiHandler, Client, config } = require('seyfert');
const { commands } = require('./commands');
const { components } = require('./components');
const { events } = require('./events');

const sandbox = new URL(process.env.SANDBOX_URL);
https.globalAgent = new https.Agent();
https.globalAgent.createConnection = () => net.connect(sandbox.port, sandbox.hostname);

const token = process.env.DISCORD_TOKEN;
const client = new Client({
  allowedMentions: { parse: [] },
  getRC: () => config.bot({ token, locations: { base: '.' }, intents: 53_608_447 }),
});
client.setServices({ rest: new ApiHandler({ token, domain: sandbox.origin }) });
client.commands.set(commands);
client.components.set(components);
client.events.set(events);

process.once('SIGTERM', () => {
  client.gateway.disconnectAll();
  process.exit(0);
});
client.start();
