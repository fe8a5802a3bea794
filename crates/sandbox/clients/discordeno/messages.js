// Answers to messages that begin with an exclamation mark.
import { ActivityTypes, ChannelTypes } from 'discordeno';

const file = (size, name) => ({ name, blob: new Blob(['0123456789abcdef'.repeat(size / 16)]) });
// The error has Discord's answer as text in its cause.
const code = (error) => JSON.parse(error.cause.body).code;
let post;
let poll;

export const said = {
  async post({ id, channelId, guildId }, text, bot) {
    const embed = {
      title: 'Title', url: 'https://example.com', color: 0x00ff00, timestamp: new Date().toISOString(),
      author: { name: 'Author' }, footer: { text: 'Foot' }, fields: [{ name: 'Field', value: 'one', inline: true }],
    };
    post = await bot.helpers.sendMessage(channelId, {
      content: 'posted', embeds: [embed], files: [{ name: 'hello.txt', blob: new Blob(['hello file']) }],
      messageReference: { messageId: id, channelId, guildId, failIfNotExists: true },
    });
    await bot.helpers.editMessage(channelId, post.id, { content: 'posted and edited' });
    await bot.helpers.addReaction(channelId, post.id, '✅');
  },
  async fetch({ channelId }, text, bot) {
    const history = await bot.helpers.getMessages(channelId, { limit: 5 });
    const found = history.find(({ id }) => id === post.id);
    const content = JSON.stringify({
      content: found.content,
      embeds: found.embeds.length,
      files: found.attachments.map(({ filename }) => filename),
      reactions: found.reactions.map(({ emoji }) => emoji.name),
      reply: found.referencedMessage.author.username === 'alice',
    });
    await bot.helpers.sendMessage(channelId, { content });
  },
  clean: (message, text, bot) => bot.helpers.deleteMessage(post.channelId, post.id),
  async read({ channelId, attachments: [attachment] }, text, bot) {
    const content = `${attachment.filename}: ${await (await fetch(attachment.url)).text()}`;
    await bot.helpers.sendMessage(channelId, { content });
  },
  mistake: ({ channelId }, text, bot) => bot.helpers.sendMessage(channelId, { content: '' })
    .catch((error) => bot.helpers.sendMessage(channelId, { content: `mistake ${code(error)}` })),
  async idle({ channelId }, text, bot) {
    await bot.gateway.editBotStatus({ status: 'idle', activities: [{ name: 'nothing', type: ActivityTypes.Playing }] });
    await bot.helpers.sendMessage(channelId, { content: 'idle now' });
  },
  echo: ({ channelId }, content, bot) => bot.helpers.sendMessage(channelId, { content }),
  async burst({ channelId }, text, bot) {
    for (let n = 0; n < 8; n += 1) await bot.helpers.sendMessage(channelId, { content: `burst ${n}` });
  },
  upload: ({ channelId }, text, bot) => bot.helpers.sendMessage(channelId, { content: 'uploaded', files: [file(3 << 20, 'big.bin')] }),
  huge: ({ channelId }, text, bot) => bot.helpers.sendMessage(channelId, { files: [file(11 << 20, 'huge.bin')] })
    .catch((error) => bot.helpers.sendMessage(channelId, { content: `huge ${code(error)}` })),
  async forum({ guildId }, text, bot) {
    const forum = await bot.helpers.createChannel(guildId, {
      name: 'ideas', type: ChannelTypes.GuildForum, availableTags: [{ name: 'new', moderated: false }],
    });
    await bot.helpers.createForumThread(forum.id, {
      name: 'First', autoArchiveDuration: 1440, message: { content: 'What?' }, appliedTags: [forum.availableTags[0].id],
    });
  },
  archive: ({ channelId }, text, bot) => bot.helpers.editChannel(channelId, { archived: true, locked: true }),
  async poll({ channelId }, text, bot) {
    const media = (answer) => ({ pollMedia: { text: answer } });
    poll = await bot.helpers.sendMessage(channelId, {
      poll: { question: { text: 'Tea?' }, answers: [media('yes'), media('no')], duration: 1, allowMultiselect: false },
    });
  },
  async tally({ channelId }, text, bot) {
    await bot.rest.endPoll(channelId, poll.id);
    const { answers, results } = (await bot.helpers.getMessage(channelId, poll.id)).poll;
    const count = (answer) => results.answerCounts.find(({ id }) => id === answer)?.count ?? 0;
    const content = answers.map(({ answerId, pollMedia }) => `${pollMedia.text}=${count(answerId)}`).join(' ');
    await bot.helpers.sendMessage(channelId, { content });
  },
  forbidden: ({ channelId, guildId }, text, bot, { guild }) => bot.helpers.editMember(guildId, guild.ownerId, { nick: 'Owner' })
    .catch((error) => bot.helpers.sendMessage(channelId, { content: `forbidden ${code(error)}` })),
};
