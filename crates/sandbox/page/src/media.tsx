// Files and pictures. Only those of this sandbox are loaded; of others the address is shown.

import { useState } from 'preact/hooks';
import { DefaultAvatar, Icon } from './icons';
import { world } from './store';
import { line, safeUrl, size } from './text';
import type { Attachment, Media } from './types';

/** Returns the address under which this page may load a file of the sandbox, or nothing. */
export function own(url: string): string | null {
  for (const base of [world.url, location.origin]) {
    if (base && url.startsWith(`${base}/`)) return url.slice(base.length);
  }
  return null;
}

function fit(width: number, height: number, most: number, tallest: number): { width: number; height: number } {
  const scale = Math.min(1, most / width, tallest / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

export function Picture({ media, alt, most = 400, tallest = 350, cover }: { media: Media; alt: string; most?: number; tallest?: number; cover?: boolean }) {
  const address = own(media.url);
  const standard = /^https:\/\/cdn\.discordapp\.com\/embed\/avatars\/([0-5])\.png/.exec(media.url);
  if (standard) return <span role={alt ? 'img' : undefined} aria-label={alt || undefined}><DefaultAvatar index={Number(standard[1])} size={Math.min(most, 128)} letter="" /></span>;
  if (!address) {
    const small = most < 100;
    return small ? (
      <a class="external" href={safeUrl(media.url)} target="_blank" rel="noreferrer noopener" title={`Pictures of other sites are not loaded: ${line(media.url)}`} aria-label={`Picture at ${line(media.url)}`}>
        <Icon name="external" size={20} />
      </a>
    ) : (
      <a class="external" href={safeUrl(media.url)} target="_blank" rel="noreferrer noopener" title="Pictures of other sites are not loaded">
        <Icon name="external" size={16} /> {line(media.url)}
      </a>
    );
  }
  const box = media.width && media.height ? fit(media.width, media.height, most, tallest) : undefined;
  return <img class={`picture ${cover ? 'cover' : ''}`} src={address} alt={alt} width={box?.width} height={box?.height} loading="lazy" style={cover ? undefined : { maxWidth: `${most}px`, maxHeight: `${tallest}px` }} />;
}

export function AttachmentView({ file }: { file: Attachment }) {
  const hidden = ((file.flags ?? 0) & 8) !== 0 || file.filename.startsWith('SPOILER_');
  const [shown, show] = useState(!hidden);
  const kind = file.content_type ?? '';
  const address = own(file.url);
  const name = line(file.title ?? file.filename);
  if (!shown) {
    return (
      <button type="button" class="spoiler-file" onClick={() => show(true)}>
        Spoiler: {name}
      </button>
    );
  }
  if (address && kind.startsWith('image/') && file.width) return <Picture media={file} alt={file.description ?? name} />;
  if (address && kind.startsWith('video/')) return <video class="picture" src={address} controls preload="metadata" width={400} aria-label={name} />;
  return (
    <div class="file">
      <Icon name="file" size={32} />
      <div class="file-text">
        <a href={address ?? safeUrl(file.url)} download={file.filename} rel="noreferrer noopener">{name}</a>
        <small>{size(file.size)}</small>
        {address && kind.startsWith('audio/') && <audio src={address} controls preload="none" aria-label={name} />}
      </div>
    </div>
  );
}

export function Attachments({ files }: { files: Attachment[] }) {
  if (!files.length) return null;
  return <div class="attachments">{files.map((file) => <AttachmentView key={file.id} file={file} />)}</div>;
}
