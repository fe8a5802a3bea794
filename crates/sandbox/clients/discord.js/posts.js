// Uploads, a forum, polls, and what the bot may not do.
const { AttachmentBuilder, ChannelType, Events } = require('discord.js');

const file = (size, name) => new AttachmentBuilder(Buffer.alloc(size, '0123456789abcdef'), { name });
let poll;

const said = {
  upload: (message) => message.channel.send({ content: 'uploaded', files: [file(3 << 20, 'big.bin')] }),
  huge: (message) => message.channel.send({ files: [file(11 << 20, 'huge.bin')] })
    .catch((error) => message.channel.send(`huge ${error.code}`)),
  async forum(message) {
    const forum = await message.guild.channels.create({
      name: 'ideas', type: ChannelType.GuildForum, availableTags: [{ name: 'new' }],
    });
    const tag = forum.availableTags.find(({ name }) => name === 'new');
    await forum.threads.create({ name: 'First', message: { content: 'What?' }, appliedTags: [tag.id] });
  },
  archive: (message) => message.channel.edit({ archived: true, locked: true }),
  async poll(message) {
    poll = await message.channel.send({
      poll: { question: { text: 'Tea?' }, answers: [{ text: 'yes' }, { text: 'no', emoji: '👎' }], duration: 1, allowMultiselect: false },
    });
  },
  async tally(message) {
    await poll.poll.end();
    const { answers } = (await message.channel.messages.fetch({ message: poll.id, force: true })).poll;
    await message.channel.send(answers.map(({ text, voteCount }) => `${text}=${voteCount}`).join(' '));
  },
  async forbidden(message) {
    const owner = await message.guild.fetchOwner();
    await owner.setNickname('Owner').catch((error) => message.channel.send(`forbidden ${error.code}`));
  },
};

function listen(client, report) {
  client.on(Events.ThreadCreate, (thread) => thread.name === 'First' && report('thread First'));
  client.on(Events.ThreadUpdate, (_, thread) => thread.name === 'First' && thread.archived && report('archived First'));
  const voter = (userId) => client.users.cache.get(userId).username;
  client.on(Events.MessagePollVoteAdd, (answer, userId) => report(`vote ${voter(userId)}`));
  client.on(Events.MessagePollVoteRemove, (answer, userId) => report(`unvote ${voter(userId)}`));
}

module.exports = { listen, said };
