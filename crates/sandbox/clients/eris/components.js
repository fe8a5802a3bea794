// Buttons, menus, modals, and a message of Components V2. eris knows buttons and menus of texts; the rest it sends and hands
// over as Discord has it.
const { Constants } = require('eris');

const EPHEMERAL = 64;
const IS_COMPONENTS_V2 = 1 << 15;
const { ButtonStyles, ChannelTypes, ComponentTypes } = Constants;
const Type = {
  ...ComponentTypes, USER: 5, ROLE: 6, MENTIONABLE: 7, CHANNEL: 8, SECTION: 9, TEXT: 10, FILE: 13, SEPARATOR: 14, CONTAINER: 17, LABEL: 18,
};

const row = (...components) => ({ type: Type.ACTION_ROW, components });
const button = (id, style) => ({ type: Type.BUTTON, custom_id: id, label: id, style });
const colours = ['red', 'green', 'blue'].map((value) => ({ label: value, value }));
const text = (content) => ({ type: Type.TEXT, content });

const panel = [
  row(
    button('count', ButtonStyles.PRIMARY), button('ask', ButtonStyles.SUCCESS), button('close', ButtonStyles.DANGER),
    { type: Type.BUTTON, style: ButtonStyles.LINK, url: 'https://example.com', label: 'link' },
  ),
  row({ type: Type.USER, custom_id: 'users', max_values: 2 }),
  row({ type: Type.ROLE, custom_id: 'roles' }),
  row({ type: Type.MENTIONABLE, custom_id: 'mentionables', max_values: 2 }),
  row({ type: Type.CHANNEL, custom_id: 'channels', channel_types: [ChannelTypes.GUILD_TEXT] }),
];

const layout = {
  type: Type.CONTAINER,
  accent_color: 0x00ff00,
  components: [
    text('# Zero'),
    { type: Type.SEPARATOR },
    { type: Type.SECTION, components: [text('One more?')], accessory: button('more', ButtonStyles.PRIMARY) },
    { type: Type.FILE, file: { url: 'attachment://hello.txt' } },
  ],
};

const label = (name, component) => ({ type: Type.LABEL, label: name, component });
const form = {
  title: 'A form',
  custom_id: 'form',
  components: [
    label('Name', { type: Type.TEXT_INPUT, custom_id: 'name', style: 1 }),
    label('Colour', { type: Type.SELECT_MENU, custom_id: 'colour', options: colours }),
    label('Who', { type: Type.USER, custom_id: 'who' }),
  ],
};

const commands = {
  panel: (interaction) => interaction.createMessage({ content: '0', components: panel }),
  pick: (interaction) => interaction.createMessage({
    content: 'pick', components: [row({ type: Type.SELECT_MENU, custom_id: 'strings', max_values: 2, options: colours })],
  }),
  form: (interaction) => interaction.createModal(form),
  layout: (interaction) => interaction.createMessage(
    { flags: IS_COMPONENTS_V2, components: [layout] },
    { name: 'hello.txt', file: Buffer.from('hello file') },
  ),
};

function press(interaction) {
  const { custom_id: id, values, resolved = {} } = interaction.data;
  switch (id) {
    case 'count':
      return interaction.editParent(String(Number(interaction.message.content) + 1));
    case 'close':
      return interaction.editParent({ content: 'closed', components: [] });
    case 'more':
      return interaction.editParent({ components: [text('# One')], attachments: [] });
    case 'ask': {
      const input = (name, style) => row({ type: Type.TEXT_INPUT, custom_id: name, label: name, style });
      return interaction.createModal({
        title: 'A question', custom_id: 'question', components: [input('name', 1), input('about', 2)],
      });
    }
    default: {
      const name = (value) => resolved.users?.[value]?.username ?? resolved.roles?.[value]?.name ?? resolved.channels?.[value]?.name ?? value;
      return interaction.createMessage({ content: [id, ...values.map(name).sort()].join(' '), flags: EPHEMERAL });
    }
  }
}

function submit(interaction) {
  const { components, resolved } = interaction.data;
  const inputs = Object.fromEntries(components.map((each) => each.component ?? each.components[0]).map((each) => [each.custom_id, each]));
  if (inputs.about) return interaction.createMessage(`name=${inputs.name.value} about=${inputs.about.value}`);
  const who = resolved.users[inputs.who.values[0]];
  return interaction.createMessage(`name=${inputs.name.value} colour=${inputs.colour.values[0]} who=${who.username}`);
}

module.exports = { commands, press, submit };
