// An Ogg file of Opus frames (RFC 3533, RFC 7845).

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let value = n << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

function checksum(bytes) {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) ^ TABLE[((value >>> 24) ^ byte) & 255]) >>> 0;
  return value;
}

function pageOf(packets, number, kind, position) {
  const lacing = packets.flatMap((packet) => [...Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255]);
  const head = Buffer.alloc(27);
  head.write('OggS');
  head[5] = kind;
  head.writeBigInt64LE(BigInt(position), 6);
  head.writeUInt32LE(1, 14);
  head.writeUInt32LE(number, 18);
  head[26] = lacing.length;
  const page = Buffer.concat([head, Buffer.from(lacing), ...packets]);
  page.writeUInt32LE(checksum(page), 22);
  return page;
}

/** Returns a file with frames of 20 ms in stereo. */
export function ogg(frames) {
  const head = Buffer.from('OpusHead\x01\x02\0\0\x80\xbb\0\0\0\0\0', 'latin1');
  const tags = Buffer.concat([Buffer.from('OpusTags'), Buffer.from([4, 0, 0, 0]), Buffer.from('test'), Buffer.alloc(4)]);
  return Buffer.concat([pageOf([head], 0, 2, 0), pageOf([tags], 1, 0, 0), pageOf(frames, 2, 4, frames.length * 960)]);
}
