"""An ordinary py-cord bot that plays five seconds of a tone in the Lounge; only the address at the top differs from one for
discord.com."""

import asyncio
import io
import math
import os
import struct

import discord

discord.http.Route.API_BASE_URL = f"{os.environ['SANDBOX_URL']}/api/v10"


def tone(seconds):
    samples = (round(8_000 * math.sin(2 * math.pi * 440 * frame / 48_000)) for frame in range(48_000 * seconds))
    return b"".join(struct.pack("<hh", sample, sample) for sample in samples)


class Bot(discord.Client):
    async def on_ready(self):
        channel = discord.utils.get(self.guilds[0].voice_channels, name="Lounge")
        voice = await channel.connect(timeout=20)
        played = asyncio.get_running_loop().create_future()

        def after(error):
            self.loop.call_soon_threadsafe(played.set_result, error)

        voice.play(discord.PCMAudio(io.BytesIO(tone(5))), after=after)
        if (error := await played) is not None:
            raise error
        await voice.disconnect()
        print("played")
        self.loop.stop()


Bot(intents=discord.Intents.default()).run(os.environ["DISCORD_TOKEN"])
