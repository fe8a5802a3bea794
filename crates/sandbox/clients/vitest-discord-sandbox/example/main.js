// The smallest bot that is a process of its own.
import { Client, Events, GatewayIntentBits } from 'discord.js';

const rest = process.env.DISCORD_API_URL ? { api: `${process.env.DISCORD_API_URL}/api` } : {};
const client = new Client({ intents: [GatewayIntentBits.Guilds], rest });
client.once(Events.ClientReady, (ready) =>
  ready.application.commands.set([{ name: 'ping', description: 'Answers' }]),
);
client.on(Events.InteractionCreate, (interaction) => interaction.reply('pong'));
await client.login(process.env.DISCORD_TOKEN);
