/** A small bot of discord.js, as an example. */

import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  Client,
  Events,
  GatewayIntentBits,
  ModalBuilder,
  SlashCommandBuilder,
  StringSelectMenuBuilder,
  TextInputBuilder,
  TextInputStyle,
  type ClientOptions,
  type Interaction,
} from 'discord.js';

const COMMANDS = [
  new SlashCommandBuilder().setName('ping').setDescription('Answers'),
  new SlashCommandBuilder().setName('count').setDescription('Counts'),
  new SlashCommandBuilder().setName('order').setDescription('Takes an order'),
  new SlashCommandBuilder()
    .setName('greet')
    .setDescription('Greets')
    .addUserOption((option) => option.setName('whom').setDescription('Whom').setRequired(true))
    .addBooleanOption((option) => option.setName('warmly').setDescription('How')),
];

function counter(count: number) {
  const more = new ButtonBuilder().setCustomId(`more:${count + 1}`).setLabel('More').setStyle(ButtonStyle.Primary);
  const colours = ['red', 'blue'].map((colour) => ({ label: colour, value: colour }));
  const menu = new StringSelectMenuBuilder().setCustomId('colour').addOptions(colours);
  return {
    content: `${count} times`,
    components: [
      new ActionRowBuilder<ButtonBuilder>().addComponents(more),
      new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(menu),
    ],
  };
}

function order() {
  const dish = new TextInputBuilder().setCustomId('dish').setLabel('Dish').setStyle(TextInputStyle.Short);
  const row = new ActionRowBuilder<TextInputBuilder>().addComponents(dish);
  return new ModalBuilder().setCustomId('order').setTitle('Your order').addComponents(row);
}

async function answer(interaction: Interaction): Promise<void> {
  if (interaction.isChatInputCommand()) {
    switch (interaction.commandName) {
      case 'ping':
        await interaction.reply('pong');
        break;
      case 'count':
        await interaction.reply(counter(0));
        break;
      case 'order':
        await interaction.showModal(order());
        break;
      case 'greet': {
        const how = interaction.options.getBoolean('warmly') ? 'Dearest' : 'Hello';
        await interaction.reply({ content: `${how} ${interaction.options.getUser('whom', true).username}`, flags: 'Ephemeral' });
      }
    }
  } else if (interaction.isButton()) {
    await interaction.update(counter(Number(interaction.customId.split(':')[1])));
  } else if (interaction.isStringSelectMenu()) {
    await interaction.reply({ content: `You like ${interaction.values[0]}.`, flags: 'Ephemeral' });
  } else if (interaction.isModalSubmit()) {
    await interaction.reply({ content: `One ${interaction.fields.getTextInputValue('dish')}, coming up.`, flags: 'Ephemeral' });
  }
}

/** Creates the bot. The tests pass where Discord is. */
export function createBot(options: Partial<ClientOptions> = {}): Client {
  const { Guilds, GuildMessages, MessageContent, GuildVoiceStates } = GatewayIntentBits;
  const client = new Client({ intents: [Guilds, GuildMessages, MessageContent, GuildVoiceStates], ...options });
  client.once(Events.ClientReady, (ready) => ready.application.commands.set(COMMANDS));
  client.on(Events.InteractionCreate, answer);
  client.on(Events.MessageCreate, async (message) => {
    if (message.content === '!ping') await message.reply('pong');
  });
  client.on(Events.VoiceStateUpdate, async (before, after) => {
    const general = after.guild.channels.cache.find((channel) => channel.name === 'general');
    if (after.channel && general?.isTextBased()) await general.send(`${after.member?.user.username} is in ${after.channel.name}`);
  });
  return client;
}
