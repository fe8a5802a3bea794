// Answers to messages that begin with an exclamation mark.
const { AttachmentBuilder, ChannelType, Embed, PollBuilder } = require('seyfert');

const file = (buffer, name) => new AttachmentBuilder().setName(name).setFile('buffer', buffer);
const zeros = (size) => Buffer.alloc(size, '0123456789abcdef');
const code = (error) => error.metadata.response.code;
let post;
let poll;

exports.said = {
  async post(message) {
    const embed = new Embed().setTitle('Title').setURL('https://example.com').setColor(0x00ff00).setTimestamp()
      .setAuthor({ name: 'Author' }).setFooter({ text: 'Foot' }).addFields({ name: 'Field', value: 'one', inline: true });
    post = await message.reply({ content: 'posted', embeds: [embed], files: [file(Buffer.from('hello file'), 'hello.txt')] });
    await post.edit({ content: 'posted and edited' });
    await post.react('✅');
  },
  async fetch(message) {
    const history = await message.client.channels.fetchMessages(message.channelId, { limit: 5 });
    const found = history.find(({ id }) => id === post.id);
    await message.write({
      content: JSON.stringify({
        content: found.content,
        embeds: found.embeds.length,
        files: found.attachments.map(({ filename }) => filename),
        reactions: found.reactions.map(({ emoji }) => emoji.name),
        reply: found.referencedMessage.author.username === 'alice',
      }),
    });
  },
  clean: () => post.delete(),
  async read(message) {
    const [attachment] = message.attachments;
    await message.write({ content: `${attachment.filename}: ${await (await fetch(attachment.url)).text()}` });
  },
  mistake: (message) => message.write({ content: '' }).catch((error) => message.write({ content: `mistake ${code(error)}` })),
  async idle(message) {
    message.client.gateway.setPresence({ status: 'idle', activities: [{ name: 'nothing', type: 0 }], since: null, afk: false });
    await message.write({ content: 'idle now' });
  },
  echo: (message, content) => message.write({ content }),
  async burst(message) {
    for (let n = 0; n < 8; n += 1) await message.write({ content: `burst ${n}` });
  },
  upload: (message) => message.write({ content: 'uploaded', files: [file(zeros(3 << 20), 'big.bin')] }),
  huge: (message) => message.write({ files: [file(zeros(11 << 20), 'huge.bin')] })
    .catch((error) => message.write({ content: `huge ${code(error)}` })),
  async forum(message) {
    const forum = await message.client.guilds.channels.create(message.guildId, {
      name: 'ideas', type: ChannelType.GuildForum, available_tags: [{ name: 'new' }],
    });
    await message.client.channels.thread(forum.id, { name: 'First', message: { content: 'What?' }, applied_tags: [forum.availableTags[0].id] });
  },
  archive: (message) => message.client.threads.edit(message.channelId, { archived: true, locked: true }),
  async poll(message) {
    poll = await message.write({
      poll: new PollBuilder().setQuestion({ text: 'Tea?' }).setAnswers({ text: 'yes' }, { text: 'no', emoji: '👎' }).setDuration(1),
    });
  },
  async tally(message) {
    await poll.endPoll();
    const { answers, results } = (await message.client.messages.fetch(poll.id, poll.channelId, true)).poll;
    const count = (answer) => results.answerCounts.find(({ id }) => id === answer)?.count ?? 0;
    await message.write({ content: answers.map(({ answerId, pollMedia }) => `${pollMedia.text}=${count(answerId)}`).join(' ') });
  },
  async forbidden(message) {
    const { ownerId } = await message.guild();
    await message.client.members.edit(message.guildId, ownerId, { nick: 'Owner' })
      .catch((error) => message.write({ content: `forbidden ${code(error)}` }));
  },
};
