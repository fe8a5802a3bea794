// A bot in a process of its own, so that what the browser tells the tests does not delay it: sends numbered messages at a
// steady rate, one after the other, and prints how long each request took.

const [url, word, count, rate] = process.argv.slice(2);
const headers = { authorization: `Bot ${process.env.DISCORD_TOKEN}`, 'content-type': 'application/json' };
const took = [];
const begun = performance.now();
for (let n = 0; n < Number(count); n += 1) {
  const start = performance.now();
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ content: `${word} ${n}` }) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`message ${n}: ${response.status}`);
  took.push(performance.now() - start);
  const wait = begun + ((n + 1) * 1000) / Number(rate) - performance.now();
  if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
}
console.log(JSON.stringify({ took, seconds: (performance.now() - begun) / 1000 }));
