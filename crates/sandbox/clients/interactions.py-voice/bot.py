"""An ordinary interactions.py bot that plays five seconds of a tone in the Lounge; only `Route.BASE` differs from one for
discord.com."""

import math
import os
import signal
import struct

import interactions
from interactions.api.voice.audio import BaseAudio

interactions.api.http.route.Route.BASE = f"{os.environ['SANDBOX_URL']}/api/v10"
intents = interactions.Intents.DEFAULT
bot = interactions.Client(token=os.environ["DISCORD_TOKEN"], intents=intents)


def tone(seconds):
    samples = (round(8_000 * math.sin(2 * math.pi * 440 * frame / 48_000)) for frame in range(48_000 * seconds))
    return b"".join(struct.pack("<hh", sample, sample) for sample in samples)


class Tone(BaseAudio):
    locked_stream, needs_encode, bitrate, encoder = False, True, 64, None

    def __init__(self):
        self.left = tone(5)

    def cleanup(self):
        self.left = b""

    @property
    def audio_complete(self):
        return not self.left

    def read(self, frame_size):
        part, self.left = self.left[:frame_size], self.left[frame_size:]
        return part


@interactions.listen()
async def on_startup():
    channel = next(channel for channel in bot.guilds[0].channels if channel.name == "Lounge")
    voice = await channel.connect()
    await voice.play(Tone())
    await voice.disconnect()
    print("played")
    # `start` ends in good order at Ctrl+C.
    signal.raise_signal(signal.SIGINT)


bot.start()
