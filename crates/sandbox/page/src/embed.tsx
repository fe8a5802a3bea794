// Embeds.

import { Picture } from './media';
import { Rich } from './rich';
import { color, line, safeUrl, stampText } from './text';
import type { Channel, Embed } from './types';

const INLINE = { blocks: false, links: true };
const TITLE = { blocks: false, links: false };

/** Returns how many fields share the row of one: up to three that are inline. */
function neighbours(fields: NonNullable<Embed['fields']>, index: number): number {
  if (!fields[index]!.inline) return 1;
  let first = index;
  while (fields[first - 1]?.inline) first -= 1;
  let end = index;
  while (fields[end]?.inline) end += 1;
  const row = first + Math.floor((index - first) / 3) * 3;
  return Math.min(3, end - row);
}

export function EmbedView({ embed, channel }: { embed: Embed; channel: Channel | null }) {
  if (embed.type === 'poll_result') return null;
  const link = (text: string, url?: string) => {
    const shown = <Rich text={text} channel={channel} rules={TITLE} />;
    const address = safeUrl(url);
    return address ? <a href={address} target="_blank" rel="noreferrer noopener">{shown}</a> : shown;
  };
  const edge = embed.color !== undefined ? { borderLeftColor: color(embed.color) } : undefined;
  return (
    <article class="embed" style={edge}>
      <div class="embed-main">
        <div class="embed-text">
          {embed.provider && <div class="embed-provider">{line(embed.provider.name)}</div>}
          {embed.author && <div class="embed-author">{link(embed.author.name, embed.author.url)}</div>}
          {embed.title && <div class="embed-title">{link(embed.title, embed.url)}</div>}
          {embed.description && <div class="embed-description"><Rich text={embed.description} channel={channel} /></div>}
          {embed.fields && embed.fields.length > 0 && (
            <div class="embed-fields">
              {embed.fields.map((field, index) => (
                <div class={`embed-field of-${neighbours(embed.fields!, index)}`}>
                  <div class="embed-field-name"><Rich text={field.name} channel={channel} rules={INLINE} /></div>
                  <div class="embed-field-value"><Rich text={field.value} channel={channel} /></div>
                </div>
              ))}
            </div>
          )}
        </div>
        {embed.thumbnail && <div class="embed-thumbnail"><Picture media={embed.thumbnail} alt="" most={80} tallest={80} /></div>}
      </div>
      {embed.image && <div class="embed-image"><Picture media={embed.image} alt="" most={400} tallest={300} /></div>}
      {(embed.footer || embed.timestamp) && (
        <div class="embed-footer">
          {embed.footer && <span>{line(embed.footer.text)}</span>}
          {embed.footer && embed.timestamp && <span class="dot">•</span>}
          {embed.timestamp && <time dateTime={embed.timestamp}>{stampText(new Date(embed.timestamp))}</time>}
        </div>
      )}
    </article>
  );
}
