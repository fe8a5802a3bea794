// Buttons, menus and a modal.
import { ButtonStyles, ChannelTypes, MessageComponentTypes as Type, TextStyles } from 'discordeno';

const row = (...components) => ({ type: Type.ActionRow, components });
const button = (customId, style) => ({ type: Type.Button, customId, label: customId, style });

const panel = [
  row(
    button('count', ButtonStyles.Primary), button('ask', ButtonStyles.Success), button('close', ButtonStyles.Danger),
    { type: Type.Button, style: ButtonStyles.Link, url: 'https://example.com', label: 'link' },
  ),
  row({ type: Type.SelectMenuUsers, customId: 'users', maxValues: 2 }),
  row({ type: Type.SelectMenuRoles, customId: 'roles' }),
  row({ type: Type.SelectMenuUsersAndRoles, customId: 'mentionables', maxValues: 2 }),
  row({ type: Type.SelectMenuChannels, customId: 'channels', channelTypes: [ChannelTypes.GuildText] }),
];
const colours = ['red', 'green', 'blue'].map((value) => ({ label: value, value }));

export const commands = {
  panel: (interaction) => interaction.respond({ content: '0', components: panel }),
  pick: (interaction) => interaction.respond({
    content: 'pick', components: [row({ type: Type.SelectMenu, customId: 'strings', maxValues: 2, options: colours })],
  }),
};

export function press(interaction) {
  const { customId, values, resolved } = interaction.data;
  switch (customId) {
    case 'count':
      return interaction.edit(String(Number(interaction.message.content) + 1));
    case 'close':
      return interaction.edit({ content: 'closed', components: [] });
    case 'ask': {
      const input = (id, style) => row({ type: Type.InputText, customId: id, label: id, style });
      return interaction.respond({
        title: 'A question', customId: 'question', components: [input('name', TextStyles.Short), input('about', TextStyles.Paragraph)],
      });
    }
    default: {
      const maps = [resolved?.users, resolved?.roles, resolved?.channels];
      const found = maps.flatMap((map) => map?.array() ?? []).map((each) => each.username ?? each.name);
      const names = found.length ? found : values;
      return interaction.respond([customId, ...names.sort()].join(' '), { isPrivate: true });
    }
  }
}

export function submit(interaction) {
  const [name, about] = interaction.data.components.map(({ components: [input] }) => input.value);
  return interaction.respond(`name=${name} about=${about}`);
}
