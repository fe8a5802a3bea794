// A bot without a gateway: Discord's own package verifies requests, and answers PINGs.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { InteractionResponseType as Answer, InteractionType as Asked, verifyKeyMiddleware } from 'discord-interactions';

const { SANDBOX_URL, DISCORD_TOKEN, DISCORD_PUBLIC_KEY, TEST_GUILD_ID, PORT } = process.env;
const verify = verifyKeyMiddleware(DISCORD_PUBLIC_KEY);

async function rest(method, path, body) {
  const answer = await fetch(`${SANDBOX_URL}/api/v10${path}`, {
    method,
    headers: { authorization: `Bot ${DISCORD_TOKEN}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

function send(response, body) {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

const say = (content, more = {}) => ({ type: Answer.CHANNEL_MESSAGE_WITH_SOURCE, data: { content, ...more } });
const row = (component) => [{ type: 1, components: [component] }];

async function command(interaction, response) {
  const { name, options } = interaction.data;
  const webhook = `/webhooks/${interaction.application_id}/${interaction.token}`;
  if (name === 'think') {
    send(response, { type: Answer.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE });
    await sleep(200);
    await rest('PATCH', `${webhook}/messages/@original`, { content: 'thought' });
    await rest('POST', webhook, { content: 'and more' });
  } else if (name === 'panel') {
    send(response, say('panel', { components: row({ type: 2, style: 1, custom_id: 'ask', label: 'Ask' }) }));
  } else if (name === 'file') {
    const form = new FormData();
    form.set('payload_json', JSON.stringify(say('file', { attachments: [{ id: 0, filename: 'list.txt' }] })));
    form.set('files[0]', new Blob(['one\ntwo']), 'list.txt');
    const encoded = new Response(form);
    response.setHeader('content-type', encoded.headers.get('content-type'));
    response.end(Buffer.from(await encoded.arrayBuffer()));
  } else {
    send(response, say(name === 'ping' ? 'pong' : options[0].value));
  }
}

async function handle({ body }, response) {
  switch (body.type) {
    case Asked.APPLICATION_COMMAND:
      return command(body, response);
    case Asked.APPLICATION_COMMAND_AUTOCOMPLETE: {
      const names = ['black', 'green', 'white'].filter((name) => name.startsWith(body.data.options[0].value));
      const choices = names.map((name) => ({ name, value: name }));
      return send(response, { type: Answer.APPLICATION_COMMAND_AUTOCOMPLETE_RESULT, data: { choices } });
    }
    case Asked.MESSAGE_COMPONENT: {
      const components = row({ type: 4, custom_id: 'name', label: 'Name', style: 1 });
      return send(response, { type: Answer.MODAL, data: { custom_id: 'who', title: 'Who?', components } });
    }
    default:
      return send(response, say(`hello ${body.data.components[0].components[0].value}`));
  }
}

const server = createServer((request, response) => {
  // What Express would add.
  request.header = (name) => request.headers[name.toLowerCase()];
  verify(request, response, () => handle(request, response).catch((error) => response.destroy(error)));
});

const { id } = await rest('GET', '/applications/@me');
const tea = { type: 3, name: 'tea', description: 'Which', required: true, autocomplete: true };
const commands = ['ping', 'think', 'panel', 'file'].map((name) => ({ name, description: 'A command' }));
commands.push({ name: 'drink', description: 'A command', options: [tea] });
await rest('PUT', `/applications/${id}/guilds/${TEST_GUILD_ID}/commands`, commands);
server.listen(PORT, '127.0.0.1', () => console.log('ready'));
