// A modal of labels, and a message of Components V2.
const {
  AttachmentBuilder, ButtonBuilder, ButtonStyle, ContainerBuilder, FileBuilder, LabelBuilder, MessageFlags, ModalBuilder,
  SectionBuilder, SeparatorBuilder, StringSelectMenuBuilder, TextDisplayBuilder, TextInputBuilder, TextInputStyle,
  UserSelectMenuBuilder,
} = require('discord.js');

const text = (content) => new TextDisplayBuilder().setContent(content);

function form(interaction) {
  const colours = ['red', 'green', 'blue'].map((value) => ({ label: value, value }));
  return interaction.showModal(new ModalBuilder().setCustomId('form').setTitle('A form').addLabelComponents(
    new LabelBuilder().setLabel('Name').setTextInputComponent(new TextInputBuilder().setCustomId('name').setStyle(TextInputStyle.Short)),
    new LabelBuilder().setLabel('Colour').setStringSelectMenuComponent(new StringSelectMenuBuilder().setCustomId('colour').setOptions(colours)),
    new LabelBuilder().setLabel('Who').setUserSelectMenuComponent(new UserSelectMenuBuilder().setCustomId('who')),
  ));
}

function formAnswer(interaction) {
  const { fields } = interaction;
  const [colour] = fields.getStringSelectValues('colour');
  const who = fields.getSelectedUsers('who').first();
  return interaction.reply(`name=${fields.getTextInputValue('name')} colour=${colour} who=${who.username}`);
}

function layout(interaction) {
  const container = new ContainerBuilder()
    .setAccentColor(0x00ff00)
    .addTextDisplayComponents(text('# Zero'))
    .addSeparatorComponents(new SeparatorBuilder())
    .addSectionComponents(new SectionBuilder().addTextDisplayComponents(text('One more?'))
      .setButtonAccessory(new ButtonBuilder().setCustomId('more').setLabel('more').setStyle(ButtonStyle.Primary)))
    .addFileComponents(new FileBuilder().setURL('attachment://hello.txt'));
  return interaction.reply({
    flags: MessageFlags.IsComponentsV2,
    components: [container],
    files: [new AttachmentBuilder(Buffer.from('hello file'), { name: 'hello.txt' })],
  });
}

const pressMore = (interaction) => interaction.update({ components: [text('# One')], attachments: [] });

module.exports = { form, formAnswer, layout, pressMore };
