// A bot of discord.js with everything that a message can hold.

import {
  ActionRowBuilder, ApplicationCommandOptionType as Type, AttachmentBuilder, ButtonBuilder, ButtonStyle, ChannelSelectMenuBuilder, Client,
  ContainerBuilder, EmbedBuilder, FileBuilder, GatewayIntentBits as Intent, MediaGalleryBuilder, MentionableSelectMenuBuilder, MessageFlags,
  RoleSelectMenuBuilder, SectionBuilder, SeparatorBuilder, StringSelectMenuBuilder, TextDisplayBuilder, TextInputBuilder,
  TextInputStyle, ThumbnailBuilder, UserSelectMenuBuilder,
} from 'discord.js';

/** A red picture of one pixel. */
export const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==', 'base64');

const COMMANDS = [
  { name: 'ping', description: 'Says pong' },
  { name: 'secret', description: 'Answers you alone' },
  { name: 'slow', description: 'Thinks first' },
  { name: 'silent', description: 'Never answers' },
  { name: 'embed', description: 'Shows an embed' },
  { name: 'buttons', description: 'Shows buttons and menus' },
  { name: 'v2', description: 'Shows Components V2' },
  { name: 'form', description: 'Opens a modal' },
  {
    name: 'options', description: 'Takes every option',
    options: [
      { name: 'text', description: 'A text', type: Type.String, required: true, minLength: 2, maxLength: 10 },
      { name: 'number', description: 'A whole number', type: Type.Integer, required: true, minValue: 1, maxValue: 9 },
      { name: 'flavour', description: 'A choice', type: Type.String, choices: [{ name: 'Sweet', value: 'sweet' }, { name: 'Sour', value: 'sour' }] },
      { name: 'sure', description: 'Yes or no', type: Type.Boolean },
      { name: 'who', description: 'A user', type: Type.User },
      { name: 'where', description: 'A channel', type: Type.Channel },
      { name: 'role', description: 'A role', type: Type.Role },
      { name: 'file', description: 'A file', type: Type.Attachment },
    ],
  },
  { name: 'fruit', description: 'Completes', options: [{ name: 'name', description: 'A fruit', type: Type.String, required: true, autocomplete: true }] },
  {
    name: 'shop', description: 'Has subcommands',
    options: [{ name: 'buy', description: 'Buys', type: Type.Subcommand, options: [{ name: 'what', description: 'Thing', type: Type.String, required: true }] }, { name: 'list', description: 'Lists', type: Type.Subcommand }],
  },
  { name: 'Inspect', type: 2 },
  { name: 'Quote', type: 3 },
];

const row = (...components) => new ActionRowBuilder().addComponents(...components);

export async function startBot(sandbox) {
  const client = new Client({
    intents: [Intent.Guilds, Intent.GuildMessages, Intent.MessageContent, Intent.GuildVoiceStates, Intent.GuildMembers, Intent.DirectMessages],
    rest: { api: `${sandbox.url}/api` },
  });
  client.on('interactionCreate', (interaction) => answer(interaction).catch((error) => console.error(error)));
  const ready = new Promise((resolve) => client.once('clientReady', resolve));
  await client.login(sandbox.token);
  await ready;
  await client.application.commands.set(COMMANDS, sandbox.guild);
  return client;
}

async function answer(interaction) {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused().toLowerCase();
    const fruits = ['Apple', 'Apricot', 'Banana', 'Cherry'].filter((fruit) => fruit.toLowerCase().startsWith(typed));
    return interaction.respond(fruits.map((name) => ({ name, value: name.toLowerCase() })));
  }
  if (interaction.isUserContextMenuCommand()) return interaction.reply(`Inspected ${interaction.targetUser.username}`);
  if (interaction.isMessageContextMenuCommand()) return interaction.reply(`Quoted: ${interaction.targetMessage.content}`);
  if (interaction.isModalSubmit()) return submitted(interaction);
  if (interaction.isMessageComponent()) return component(interaction);
  switch (interaction.commandName) {
    case 'ping':
      return interaction.reply('Pong!');
    case 'secret':
      return interaction.reply({ content: 'Between us', flags: MessageFlags.Ephemeral });
    case 'slow': {
      await interaction.deferReply();
      const go = new Promise((resolve) => interaction.client.once('release', resolve));
      await go;
      return interaction.editReply('Thought it over');
    }
    case 'silent':
      return;
    case 'embed':
      return interaction.reply({
        embeds: [
          new EmbedBuilder().setTitle('A title').setURL('https://example.com').setDescription('With **bold** and `code`').setColor(0x3ba55c)
            .setAuthor({ name: 'An author' }).addFields({ name: 'One', value: '1', inline: true }, { name: 'Two', value: '2', inline: true }, { name: 'Three', value: '3' })
            .setFooter({ text: 'A footer' }).setTimestamp(0).setImage('attachment://red.png').setThumbnail('attachment://red.png'),
        ],
        files: [new AttachmentBuilder(PNG, { name: 'red.png' })],
      });
    case 'buttons':
      return interaction.reply({
        content: 'Press one',
        components: [
          row(
            new ButtonBuilder().setCustomId('count').setLabel('Count 0').setStyle(ButtonStyle.Primary),
            new ButtonBuilder().setCustomId('b2').setLabel('Second').setStyle(ButtonStyle.Secondary),
            new ButtonBuilder().setCustomId('b3').setLabel('Good').setStyle(ButtonStyle.Success).setEmoji('✅'),
            new ButtonBuilder().setCustomId('fail').setLabel('Fail').setStyle(ButtonStyle.Danger),
            new ButtonBuilder().setURL('https://example.com').setLabel('Link').setStyle(ButtonStyle.Link),
          ),
          row(new ButtonBuilder().setCustomId('off').setLabel('Disabled').setStyle(ButtonStyle.Primary).setDisabled(true), new ButtonBuilder().setCustomId('form').setLabel('Form').setStyle(ButtonStyle.Secondary)),
          row(new StringSelectMenuBuilder().setCustomId('pick').setPlaceholder('Pick a colour').setMinValues(1).setMaxValues(2).addOptions({ label: 'Red', value: 'red', description: 'like a rose' }, { label: 'Green', value: 'green' }, { label: 'Blue', value: 'blue' })),
          row(new UserSelectMenuBuilder().setCustomId('user').setPlaceholder('Pick a person')),
          row(new ChannelSelectMenuBuilder().setCustomId('channel').setPlaceholder('Pick a channel')),
        ],
      });
    case 'v2': {
      const red = new AttachmentBuilder(PNG, { name: 'red.png' });
      const notes = new AttachmentBuilder(Buffer.from('notes'), { name: 'notes.txt' });
      const container = new ContainerBuilder().setAccentColor(0xed4245)
        .addTextDisplayComponents(new TextDisplayBuilder().setContent('## In a container'))
        .addSectionComponents(new SectionBuilder().addTextDisplayComponents(new TextDisplayBuilder().setContent('A section')).setThumbnailAccessory(new ThumbnailBuilder().setURL('attachment://red.png').setDescription('Red')))
        .addSeparatorComponents(new SeparatorBuilder())
        .addMediaGalleryComponents(new MediaGalleryBuilder().addItems({ media: { url: 'attachment://red.png' }, description: 'First' }, { media: { url: 'attachment://red.png' }, description: 'Hidden', spoiler: true }))
        .addFileComponents(new FileBuilder().setURL('attachment://notes.txt'))
        .addSectionComponents(new SectionBuilder().addTextDisplayComponents(new TextDisplayBuilder().setContent('With a button')).setButtonAccessory(new ButtonBuilder().setCustomId('count').setLabel('Count 0').setStyle(ButtonStyle.Primary)))
        .addActionRowComponents(row(new RoleSelectMenuBuilder().setCustomId('role').setPlaceholder('Pick a role')))
        .addActionRowComponents(row(new MentionableSelectMenuBuilder().setCustomId('mentionable').setPlaceholder('Pick anyone')));
      return interaction.reply({ components: [new TextDisplayBuilder().setContent('Above **it**'), container], files: [red, notes], flags: MessageFlags.IsComponentsV2 });
    }
    case 'form':
      return interaction.showModal(form());
    case 'options': {
      const parts = interaction.options.data.map((option) => `${option.name}=${option.user?.username ?? option.channel?.name ?? option.role?.name ?? option.attachment?.name ?? option.value}`);
      return interaction.reply(`Got ${parts.join(' ')}`);
    }
    case 'fruit':
      return interaction.reply(`You like ${interaction.options.getString('name')}`);
    case 'shop':
      return interaction.reply(`${interaction.options.getSubcommand()} ${interaction.options.getString('what') ?? ''}`);
  }
}

/** Every input that a modal can have; those that the library cannot build are written out. */
function form() {
  const label = (text, component, description) => ({ type: 18, label: text, description, component });
  return {
    custom_id: 'form', title: 'Tell me',
    components: [
      label('Name', new TextInputBuilder().setCustomId('name').setStyle(TextInputStyle.Short).setMinLength(2).setMaxLength(20).toJSON(), 'What people call you'),
      label('Pet', new StringSelectMenuBuilder().setCustomId('pet').addOptions({ label: 'Cat', value: 'cat' }, { label: 'Dog', value: 'dog' }).toJSON()),
      label('Size', { type: 21, custom_id: 'size', options: [{ label: 'Small', value: 's' }, { label: 'Large', value: 'l' }] }),
      label('Extras', { type: 22, custom_id: 'extras', required: false, options: [{ label: 'Milk', value: 'milk' }, { label: 'Sugar', value: 'sugar' }] }),
      label('File', { type: 19, custom_id: 'file', required: false }),
    ],
  };
}

async function submitted(interaction) {
  const raw = interaction.client.lastModal?.data.components ?? [];
  const inner = raw.map((one) => one.component).filter(Boolean);
  const value = (one) => one.value ?? one.values?.length ?? '';
  return interaction.reply(`Form ${inner.map((one) => `${one.custom_id}=${value(one)}`).join(' ')}`);
}

async function component(interaction) {
  switch (interaction.customId) {
    case 'count': {
      const rows = structuredClone(interaction.message.components.map((one) => one.toJSON()));
      const bump = (node) => {
        // Discord takes a file only as an attachment.
        if (node.type === 13) node.file = { url: `attachment://${node.name}` };
        if (node.custom_id === 'count') node.label = `Count ${Number(node.label.split(' ')[1]) + 1}`;
        for (const inner of [...(node.components ?? []), node.accessory].filter(Boolean)) bump(inner);
      };
      rows.forEach(bump);
      return interaction.update({ components: rows });
    }
    case 'fail':
      return;
    case 'form':
      return interaction.showModal(form());
    default:
      return interaction.reply({ content: `Used ${interaction.customId} ${(interaction.values ?? []).join(',')}`, flags: MessageFlags.Ephemeral });
  }
}

/** Keeps the raw data of the last submitted modal, since the library may not know every input. */
export function keepModals(client) {
  client.ws.on('INTERACTION_CREATE', (data) => {
    if (data.type === 5) client.lastModal = data;
  });
  return client;
}

