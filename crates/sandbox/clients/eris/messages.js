// Answers to messages that begin with an exclamation mark.
const { Constants } = require('eris');

const file = (size, name) => ({ name, file: Buffer.alloc(size, '0123456789abcdef') });
let post;
let poll;

const said = {
  async post(message, text, client) {
    const embed = {
      title: 'Title', url: 'https://example.com', color: 0x00ff00, timestamp: new Date(),
      author: { name: 'Author' }, footer: { text: 'Foot' }, fields: [{ name: 'Field', value: 'one', inline: true }],
    };
    const reply = { content: 'posted', embeds: [embed], messageReference: { messageID: message.id } };
    post = await client.createMessage(message.channel.id, reply, { name: 'hello.txt', file: Buffer.from('hello file') });
    await post.edit('posted and edited');
    await post.addReaction('✅');
  },
  async fetch(message) {
    const history = await message.channel.getMessages({ limit: 5 });
    const found = history.find(({ id }) => id === post.id);
    await message.channel.createMessage(JSON.stringify({
      content: found.content,
      embeds: found.embeds.length,
      files: [...found.attachments.values()].map(({ filename }) => filename),
      reactions: Object.keys(found.reactions),
      reply: found.referencedMessage.author.username === 'alice',
    }));
  },
  clean: () => post.delete(),
  async read(message) {
    const [attachment] = message.attachments.values();
    const text = await (await fetch(attachment.url)).text();
    await message.channel.createMessage(`${attachment.filename}: ${text}`);
  },
  mistake: (message) => message.channel.createMessage('')
    .catch((error) => message.channel.createMessage(`mistake ${error.code}`)),
  async idle(message, text, client) {
    client.editStatus('idle', [{ name: 'nothing', type: 0 }]);
    await message.channel.createMessage('idle now');
  },
  echo: (message, text, client) => client.createMessage(message.channel.id, text),
  burst: (message) => Promise.all(Array.from({ length: 8 }, (_, n) => message.channel.createMessage(`burst ${n}`))),
  upload: (message) => message.channel.createMessage('uploaded', file(3 << 20, 'big.bin')),
  huge: (message) => message.channel.createMessage('', file(11 << 20, 'huge.bin'))
    .catch((error) => message.channel.createMessage(`huge ${error.code}`)),
  async forum(message, text, client) {
    const options = { availableTags: [{ name: 'new' }] };
    const forum = await client.createChannel(message.guildID, 'ideas', Constants.ChannelTypes.GUILD_FORUM, options);
    await client.createThread(forum.id, { name: 'First', message: { content: 'What?' }, appliedTags: [forum.availableTags[0].id] });
  },
  archive: (message) => message.channel.edit({ archived: true, locked: true }),
  async poll(message) {
    const media = (text) => ({ poll_media: { text } });
    poll = await message.channel.createMessage({
      poll: { question: { text: 'Tea?' }, answers: [media('yes'), media('no')], duration: 1, allow_multiselect: false },
    });
  },
  async tally(message, text, client) {
    await client.endPoll(poll.channel.id, poll.id);
    const { answers, results } = (await client.getMessage(poll.channel.id, poll.id)).poll;
    const count = (id) => results.answer_counts.find((each) => each.id === id)?.count ?? 0;
    await message.channel.createMessage(answers.map((each) => `${each.poll_media.text}=${count(each.answer_id)}`).join(' '));
  },
  async forbidden(message, text, client) {
    const { ownerID } = message.channel.guild;
    await client.editGuildMember(message.guildID, ownerID, { nick: 'Owner' })
      .catch((error) => message.channel.createMessage(`forbidden ${error.code}`));
  },
};

module.exports = { said };
