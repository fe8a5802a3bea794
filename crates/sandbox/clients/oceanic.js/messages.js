// Answers to messages that begin with an exclamation mark.
const { ChannelTypes } = require('oceanic.js');

const file = (size, name) => ({ name, contents: Buffer.alloc(size, '0123456789abcdef') });
let post;
let poll;

const said = {
  async post(message) {
    const embed = {
      title: 'Title', url: 'https://example.com', color: 0x00ff00, timestamp: new Date().toISOString(),
      author: { name: 'Author' }, footer: { text: 'Foot' }, fields: [{ name: 'Field', value: 'one', inline: true }],
    };
    post = await message.channel.createMessage({
      content: 'posted', embeds: [embed], messageReference: { messageID: message.id },
      files: [{ name: 'hello.txt', contents: Buffer.from('hello file') }],
    });
    await post.edit({ content: 'posted and edited' });
    await post.createReaction('✅');
  },
  async fetch(message) {
    const history = await message.channel.getMessages({ limit: 5 });
    const found = history.find(({ id }) => id === post.id);
    await message.channel.createMessage({
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
    const attachment = message.attachments.first();
    const text = await (await fetch(attachment.url)).text();
    await message.channel.createMessage({ content: `${attachment.filename}: ${text}` });
  },
  mistake: (message) => message.channel.createMessage({ content: '' })
    .catch((error) => message.channel.createMessage({ content: `mistake ${error.code}` })),
  async idle(message) {
    await message.client.editStatus('idle', [{ name: 'nothing', type: 0 }]);
    await message.channel.createMessage({ content: 'idle now' });
  },
  echo: (message, content) => message.channel.createMessage({ content }),
  burst: (message) => Promise.all(Array.from({ length: 8 }, (_, n) => message.channel.createMessage({ content: `burst ${n}` }))),
  upload: (message) => message.channel.createMessage({ content: 'uploaded', files: [file(3 << 20, 'big.bin')] }),
  huge: (message) => message.channel.createMessage({ files: [file(11 << 20, 'huge.bin')] })
    .catch((error) => message.channel.createMessage({ content: `huge ${error.code}` })),
  async forum(message) {
    const forum = await message.guild.createChannel(ChannelTypes.GUILD_FORUM, { name: 'ideas', availableTags: [{ name: 'new', moderated: false }] });
    await forum.startThread({ name: 'First', message: { content: 'What?' }, appliedTags: [forum.availableTags[0].id] });
  },
  archive: (message) => message.channel.edit({ archived: true, locked: true }),
  async poll(message) {
    const media = (text) => ({ pollMedia: { text } });
    poll = await message.channel.createMessage({
      poll: { question: { text: 'Tea?' }, answers: [media('yes'), media('no')], duration: 1, allowMultiselect: false },
    });
  },
  async tally(message) {
    await poll.expire();
    const { answers, results } = (await message.channel.getMessage(poll.id)).poll;
    const count = (id) => results.answerCounts.find((each) => each.id === id)?.count ?? 0;
    const content = answers.map(({ answerID, pollMedia }) => `${pollMedia.text}=${count(answerID)}`).join(' ');
    await message.channel.createMessage({ content });
  },
  async forbidden(message) {
    await message.guild.editMember(message.guild.ownerID, { nick: 'Owner' })
      .catch((error) => message.channel.createMessage({ content: `forbidden ${error.code}` }));
  },
};

module.exports = { said };
