// Buttons, menus, modals, and a message of Components V2.
const { ButtonStyles, ChannelTypes, ComponentTypes: Type, MessageFlags, TextInputStyles } = require('oceanic.js');

const row = (...components) => ({ type: Type.ACTION_ROW, components });
const button = (customID, style) => ({ type: Type.BUTTON, customID, label: customID, style });
const colours = ['red', 'green', 'blue'].map((value) => ({ label: value, value }));
const text = (content) => ({ type: Type.TEXT_DISPLAY, content });

const panel = [
  row(
    button('count', ButtonStyles.PRIMARY), button('ask', ButtonStyles.SUCCESS), button('close', ButtonStyles.DANGER),
    { type: Type.BUTTON, style: ButtonStyles.LINK, url: 'https://example.com', label: 'link' },
  ),
  row({ type: Type.USER_SELECT, customID: 'users', maxValues: 2 }),
  row({ type: Type.ROLE_SELECT, customID: 'roles' }),
  row({ type: Type.MENTIONABLE_SELECT, customID: 'mentionables', maxValues: 2 }),
  row({ type: Type.CHANNEL_SELECT, customID: 'channels', channelTypes: [ChannelTypes.GUILD_TEXT] }),
];

const layout = {
  type: Type.CONTAINER,
  accentColor: 0x00ff00,
  components: [
    text('# Zero'),
    { type: Type.SEPARATOR },
    { type: Type.SECTION, components: [text('One more?')], accessory: button('more', ButtonStyles.PRIMARY) },
    { type: Type.FILE, file: { url: 'attachment://hello.txt' } },
  ],
};

const form = {
  title: 'A form',
  customID: 'form',
  components: [
    { type: Type.LABEL, label: 'Name', component: { type: Type.TEXT_INPUT, customID: 'name', style: TextInputStyles.SHORT } },
    { type: Type.LABEL, label: 'Colour', component: { type: Type.STRING_SELECT, customID: 'colour', options: colours } },
    { type: Type.LABEL, label: 'Who', component: { type: Type.USER_SELECT, customID: 'who' } },
  ],
};

const commands = {
  panel: (interaction) => interaction.createMessage({ content: '0', components: panel }),
  pick: (interaction) => interaction.createMessage({
    content: 'pick', components: [row({ type: Type.STRING_SELECT, customID: 'strings', maxValues: 2, options: colours })],
  }),
  form: (interaction) => interaction.createModal(form),
  layout: (interaction) => interaction.createMessage({
    flags: MessageFlags.IS_COMPONENTS_V2,
    components: [layout],
    files: [{ name: 'hello.txt', contents: Buffer.from('hello file') }],
  }),
};

function press(interaction) {
  switch (interaction.data.customID) {
    case 'count':
      return interaction.editParent({ content: String(Number(interaction.message.content) + 1) });
    case 'close':
      return interaction.editParent({ content: 'closed', components: [] });
    case 'more':
      return interaction.editParent({ components: [text('# One')], attachments: [] });
    default: {
      const input = (customID, style) => row({ type: Type.TEXT_INPUT, customID, label: customID, style });
      return interaction.createModal({
        title: 'A question',
        customID: 'question',
        components: [input('name', TextInputStyles.SHORT), input('about', TextInputStyles.PARAGRAPH)],
      });
    }
  }
}

function choose(interaction) {
  const { customID, componentType, values } = interaction.data;
  const found = componentType === Type.CHANNEL_SELECT ? values.getChannels() : values.getMentionables();
  const names = componentType === Type.STRING_SELECT ? values.getStrings() : found.map((each) => each.username ?? each.name);
  return interaction.createMessage({ content: [customID, ...names.sort()].join(' '), flags: MessageFlags.EPHEMERAL });
}

function submit(interaction) {
  const { components, customID } = interaction.data;
  const name = components.getTextInput('name');
  if (customID === 'question') return interaction.createMessage({ content: `name=${name} about=${components.getTextInput('about')}` });
  const [colour] = components.getStringSelectValues('colour');
  const [who] = components.getUserSelectValues('who');
  return interaction.createMessage({ content: `name=${name} colour=${colour} who=${who.username}` });
}

module.exports = { choose, commands, press, submit };
