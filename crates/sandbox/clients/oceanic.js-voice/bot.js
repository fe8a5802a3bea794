// An ordinary oceanic.js bot that plays five seconds of a tone in the Lounge; only `rest.baseURL` differs from one for discord.com.
const { Readable } = require('node:stream');
const {
  AudioPlayerStatus, StreamType, VoiceConnectionStatus, createAudioPlayer, createAudioResource, entersState,
  joinVoiceChannel,
} = require('@discordjs/voice');
const { Client } = require('oceanic.js');

const client = new Client({
  auth: `Bot ${process.env.DISCORD_TOKEN}`,
  gateway: { intents: ['GUILDS', 'GUILD_VOICE_STATES'] },
  rest: { baseURL: `${process.env.SANDBOX_URL}/api/v10` },
});

function tone(seconds) {
  const pcm = Buffer.alloc(48_000 * seconds * 4);
  for (let frame = 0; frame < 48_000 * seconds; frame += 1) {
    const sample = Math.round(8_000 * Math.sin((2 * Math.PI * 440 * frame) / 48_000));
    pcm.writeInt16LE(sample, frame * 4);
    pcm.writeInt16LE(sample, frame * 4 + 2);
  }
  return pcm;
}

client.once('ready', async () => {
  const guild = client.guilds.find(({ name }) => name === 'Sandbox');
  const channel = guild.channels.find(({ name }) => name === 'Lounge');
  const connection = channel.join({ selfDeaf: false, selfMute: false, voiceAdapterCreator: guild.voiceAdapterCreator });
  await entersState(connection, VoiceConnectionStatus.Ready, 20_000);
  const player = createAudioPlayer();
  connection.subscribe(player);
  player.on('error', (error) => console.error(error));
  player.play(createAudioResource(Readable.from([tone(5)]), { inputType: StreamType.Raw }));
  await entersState(player, AudioPlayerStatus.Playing, 20_000);
  await entersState(player, AudioPlayerStatus.Idle, 20_000);
  connection.destroy();
  console.log('played');
  client.disconnect(false);
});

process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});

client.connect();
