// Buttons, menus, modals, and a message of Components V2.
const {
  ActionRow, AttachmentBuilder, Button, ButtonStyle, ChannelSelectMenu, ChannelType, ComponentCommand, Container, File, Label,
  MentionableSelectMenu, MessageFlags, Modal, ModalCommand, RoleSelectMenu, Section, Separator, StringSelectMenu, StringSelectOption,
  TextDisplay, TextInput, TextInputStyle, UserSelectMenu,
} = require('seyfert');

const row = (...items) => new ActionRow().setComponents(items);
const button = (id, style) => new Button().setCustomId(id).setLabel(id).setStyle(style);
const colours = ['red', 'green', 'blue'].map((colour) => new StringSelectOption().setLabel(colour).setValue(colour));
const text = (content) => new TextDisplay().setContent(content);
const label = (name, component) => new Label().setLabel(name).setComponent(component);
const input = (id, style) => new TextInput().setCustomId(id).setStyle(style);

const panel = [
  row(
    button('count', ButtonStyle.Primary), button('ask', ButtonStyle.Success), button('close', ButtonStyle.Danger),
    new Button().setURL('https://example.com').setLabel('link').setStyle(ButtonStyle.Link),
  ),
  row(new UserSelectMenu().setCustomId('users').setValuesLength({ min: 1, max: 2 })),
  row(new RoleSelectMenu().setCustomId('roles')),
  row(new MentionableSelectMenu().setCustomId('mentionables').setValuesLength({ min: 1, max: 2 })),
  row(new ChannelSelectMenu().setCustomId('channels').setChannelTypes([ChannelType.GuildText])),
];
const pick = [row(new StringSelectMenu().setCustomId('strings').setValuesLength({ min: 1, max: 2 }).setOptions(colours))];

const layout = {
  flags: MessageFlags.IsComponentsV2,
  components: [new Container().setColor(0x00ff00).setComponents([
    text('# Zero'),
    new Separator(),
    new Section().setComponents([text('One more?')]).setAccessory(button('more', ButtonStyle.Primary)),
    new File().setMedia('attachment://hello.txt'),
  ])],
  files: [new AttachmentBuilder().setName('hello.txt').setFile('buffer', Buffer.from('hello file'))],
};

const question = new Modal().setCustomId('question').setTitle('A question').addComponents(
  label('name', input('name', TextInputStyle.Short)), label('about', input('about', TextInputStyle.Paragraph)),
);
const form = new Modal().setCustomId('form').setTitle('A form').addComponents(
  label('Name', input('name', TextInputStyle.Short)),
  label('Colour', new StringSelectMenu().setCustomId('colour').setOptions(colours)),
  label('Who', new UserSelectMenu().setCustomId('who')),
);

class Buttons extends ComponentCommand {
  componentType = 'Button';

  run(ctx) {
    switch (ctx.customId) {
      case 'count':
        return ctx.update({ content: String(Number(ctx.message.content) + 1) });
      case 'close':
        return ctx.update({ content: 'closed', components: [] });
      case 'more':
        return ctx.update({ components: [text('# One')], attachments: [] });
      default:
        return ctx.modal(question);
    }
  }
}

const menus = ['StringSelect', 'UserSelect', 'RoleSelect', 'MentionableSelect', 'ChannelSelect'].map((componentType) => (
  class extends ComponentCommand {
    componentType = componentType;

    run(ctx) {
      const { users = [], roles = [], channels = [], values } = ctx.interaction;
      const found = [...users, ...roles, ...channels].map((each) => each.username ?? each.name);
      const names = found.length ? found : values;
      return ctx.write({ content: [ctx.customId, ...[...names].sort()].join(' '), flags: MessageFlags.Ephemeral });
    }
  }
));

class Question extends ModalCommand {
  customId = 'question';

  run(ctx) {
    return ctx.write({ content: `name=${ctx.getInputValue('name', true)} about=${ctx.getInputValue('about', true)}` });
  }
}

class Form extends ModalCommand {
  customId = 'form';

  run(ctx) {
    const [colour] = ctx.getInputValue('colour', true);
    const [who] = ctx.getUsers('who', true);
    return ctx.write({ content: `name=${ctx.getInputValue('name', true)} colour=${colour} who=${who.username}` });
  }
}

module.exports = { components: [Buttons, ...menus, Question, Form], form, layout, panel, pick };
