// A bot that says nowhere where Discord is.
import { Client, Events, GatewayIntentBits } from 'discord.js';

const client = new Client({ intents: [GatewayIntentBits.Guilds] });
client.once(Events.ClientReady, (ready) =>
  ready.application.commands.set([{ name: 'ping', description: 'Answers' }]),
);
client.on(Events.InteractionCreate, (interaction) => interaction.reply('pong'));
await client.login(process.env.DISCORD_TOKEN);
