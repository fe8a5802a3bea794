// An ordinary discord.js bot that plays five seconds of a tone in the Lounge; only `rest.api` differs from one for discord.com.
const { Readable } = require('node:stream');
const {
  AudioPlayerStatus, StreamType, VoiceConnectionStatus, createAudioPlayer, createAudioResource, entersState,
  joinVoiceChannel,
} = require('@discordjs/voice');
const { Client, Events, GatewayIntentBits } = require('discord.js');

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates],
  rest: { api: `${process.env.SANDBOX_URL}/api` },
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

client.once(Events.ClientReady, async () => {
  const guild = client.guilds.cache.first();
  const channel = guild.channels.cache.find(({ name }) => name === 'Lounge');
  const connection = joinVoiceChannel({
    channelId: channel.id, guildId: guild.id, adapterCreator: guild.voiceAdapterCreator,
  });
  await entersState(connection, VoiceConnectionStatus.Ready, 20_000);
  const player = createAudioPlayer();
  connection.subscribe(player);
  player.on('error', (error) => console.error(error));
  player.play(createAudioResource(Readable.from([tone(5)]), { inputType: StreamType.Raw }));
  await entersState(player, AudioPlayerStatus.Playing, 20_000);
  await entersState(player, AudioPlayerStatus.Idle, 20_000);
  connection.destroy();
  console.log('played');
  await client.destroy();
});

process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});

client.login(process.env.DISCORD_TOKEN);
