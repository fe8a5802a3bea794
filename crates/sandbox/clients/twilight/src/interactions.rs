//! Commands, components, modals and completions.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use twilight_model::application::command::CommandOptionChoice;
use twilight_model::application::command::{CommandOptionChoiceValue, CommandOptionType};
use twilight_model::application::interaction::application_command::{CommandData, CommandOptionValue};
use twilight_model::application::interaction::modal::ModalInteractionComponent;
use twilight_model::application::interaction::{Interaction, InteractionData, InteractionType};
use twilight_model::channel::message::MessageFlags;
use twilight_model::channel::message::component::{
    ActionRow, Button, ButtonStyle, Component, SelectMenuType, TextInput, TextInputStyle,
};
use twilight_model::channel::{Channel, ChannelType};
use twilight_model::gateway::payload::outgoing::RequestGuildMembers;
use twilight_model::guild::{Guild, Role};
use twilight_model::http::interaction::{
    InteractionResponse, InteractionResponseData, InteractionResponseType,
};
use twilight_model::id::Id;
use twilight_model::id::marker::UserMarker;
use twilight_util::builder::message::{
    ActionRowBuilder, ButtonBuilder, SelectMenuBuilder, SelectMenuOptionBuilder,
};

use crate::{Bot, Home, layouts, tour};

const FRUITS: [&str; 4] = ["apple", "banana", "cherry", "mango"];

pub async fn handle(bot: &Bot, mut interaction: Interaction) -> anyhow::Result<()> {
    let home = bot.home.get().ok_or_else(|| anyhow::anyhow!("an interaction before the guild"))?;
    match interaction.data.take() {
        Some(InteractionData::ApplicationCommand(data))
            if interaction.kind == InteractionType::ApplicationCommandAutocomplete =>
        {
            complete(bot, home, &interaction, &data).await
        }
        Some(InteractionData::ApplicationCommand(data)) => command(bot, home, &interaction, *data).await,
        Some(InteractionData::MessageComponent(data)) => {
            let content =
                interaction.message.as_ref().map(|message| message.content.as_str()).unwrap_or_default();
            match data.custom_id.as_str() {
                "count" => {
                    let more = (content.parse::<u64>()? + 1).to_string();
                    respond(bot, home, &interaction, InteractionResponseType::UpdateMessage, text(more)).await
                }
                "more" => {
                    respond(bot, home, &interaction, InteractionResponseType::UpdateMessage, layouts::more())
                        .await
                }
                "close" => {
                    let data = InteractionResponseData { components: Some(Vec::new()), ..text("closed") };
                    respond(bot, home, &interaction, InteractionResponseType::UpdateMessage, data).await
                }
                "ask" => {
                    let inputs = [("name", TextInputStyle::Short), ("about", TextInputStyle::Paragraph)];
                    let data = InteractionResponseData {
                        custom_id: Some("question".to_owned()),
                        title: Some("A question".to_owned()),
                        components: Some(inputs.map(|(id, style)| input(id, style)).to_vec()),
                        ..InteractionResponseData::default()
                    };
                    respond(bot, home, &interaction, InteractionResponseType::Modal, data).await
                }
                menu => {
                    let mut names = data.values.clone();
                    if let Some(found) = &data.resolved {
                        names = found.users.values().map(|user| user.name.clone()).collect();
                        names.extend(found.roles.values().map(|role| role.name.clone()));
                        names.extend(found.channels.values().map(|channel| channel.name.clone()));
                    }
                    names.sort();
                    names.insert(0, menu.to_owned());
                    answer(bot, home, &interaction, whisper(names.join(" "))).await
                }
            }
        }
        Some(InteractionData::ModalSubmit(data)) if data.custom_id == "form" => {
            answer(bot, home, &interaction, text(layouts::answer(*data)?)).await
        }
        Some(InteractionData::ModalSubmit(data)) => {
            let mut values = BTreeMap::new();
            for component in data.components {
                let ModalInteractionComponent::ActionRow(row) = component else { continue };
                for component in row.components {
                    if let ModalInteractionComponent::TextInput(input) = component {
                        values.insert(input.custom_id, input.value);
                    }
                }
            }
            answer(
                bot,
                home,
                &interaction,
                text(format!("name={} about={}", values["name"], values["about"])),
            )
            .await
        }
        _ => Ok(()),
    }
}

fn text(content: impl Into<String>) -> InteractionResponseData {
    InteractionResponseData { content: Some(content.into()), ..InteractionResponseData::default() }
}

fn whisper(content: impl Into<String>) -> InteractionResponseData {
    InteractionResponseData { flags: Some(MessageFlags::EPHEMERAL), ..text(content) }
}

async fn answer(
    bot: &Bot,
    home: &Home,
    to: &Interaction,
    data: InteractionResponseData,
) -> anyhow::Result<()> {
    respond(bot, home, to, InteractionResponseType::ChannelMessageWithSource, data).await
}

async fn respond(
    bot: &Bot,
    home: &Home,
    to: &Interaction,
    kind: InteractionResponseType,
    data: InteractionResponseData,
) -> anyhow::Result<()> {
    send(bot, home, to, kind, Some(data)).await
}

async fn send(
    bot: &Bot,
    home: &Home,
    to: &Interaction,
    kind: InteractionResponseType,
    data: Option<InteractionResponseData>,
) -> anyhow::Result<()> {
    let response = InteractionResponse { kind, data };
    bot.http.interaction(home.application).create_response(to.id, &to.token, &response).await?;
    Ok(())
}

fn input(id: &str, style: TextInputStyle) -> Component {
    #[expect(deprecated, reason = "a label is of the action row's form of modals")]
    let input = TextInput {
        custom_id: id.to_owned(),
        id: None,
        label: Some(id.to_owned()),
        max_length: None,
        min_length: None,
        placeholder: None,
        required: Some(true),
        style,
        value: None,
    };
    Component::ActionRow(ActionRow { id: None, components: vec![Component::TextInput(input)] })
}

async fn complete(bot: &Bot, home: &Home, to: &Interaction, data: &CommandData) -> anyhow::Result<()> {
    let typed = data.options.iter().find_map(|option| match &option.value {
        CommandOptionValue::Focused(typed, CommandOptionType::String) => Some(typed.as_str()),
        _ => None,
    });
    let choices =
        FRUITS.iter().filter(|fruit| typed.is_some_and(|typed| fruit.contains(typed))).map(|fruit| {
            CommandOptionChoice {
                name: (*fruit).to_owned(),
                name_localizations: None,
                value: CommandOptionChoiceValue::String((*fruit).to_owned()),
            }
        });
    let data =
        InteractionResponseData { choices: Some(choices.collect()), ..InteractionResponseData::default() };
    respond(bot, home, to, InteractionResponseType::ApplicationCommandAutocompleteResult, data).await
}

async fn command(bot: &Bot, home: &Home, to: &Interaction, data: CommandData) -> anyhow::Result<()> {
    let interaction = bot.http.interaction(home.application);
    let content = match data.name.as_str() {
        "about" => bot.http.current_user_application().await?.model().await?.name,
        "world" => world(bot, home).await?.to_string(),
        "options" => options(&data).to_string(),
        "tree" => {
            let mut names = Vec::new();
            let mut level = data.options;
            while let Some(option) = level.pop() {
                match option.value {
                    CommandOptionValue::SubCommandGroup(inner) => level = inner,
                    CommandOptionValue::SubCommand(inner) => {
                        names.push(option.name);
                        level = inner;
                    }
                    CommandOptionValue::String(value) => names.push(value),
                    _ => {}
                }
            }
            names.join(" ")
        }
        "find" => match &data.options[0].value {
            CommandOptionValue::String(query) => format!("found {query}"),
            other => anyhow::bail!("{other:?}"),
        },
        "Greet" => {
            let resolved = data.resolved.ok_or_else(|| anyhow::anyhow!("nothing resolved"))?;
            let target: Id<UserMarker> = data.target_id.ok_or_else(|| anyhow::anyhow!("no target"))?.cast();
            anyhow::ensure!(resolved.members.contains_key(&target), "no member");
            format!("hello {}", resolved.users[&target].name)
        }
        "Quote" => {
            let resolved = data.resolved.ok_or_else(|| anyhow::anyhow!("nothing resolved"))?;
            let message = resolved.messages.values().next().ok_or_else(|| anyhow::anyhow!("no message"))?;
            format!("{}: {}", message.author.name, message.content)
        }
        "members" => members(bot, home).await?,
        "think" => {
            send(bot, home, to, InteractionResponseType::DeferredChannelMessageWithSource, None).await?;
            interaction.update_response(&to.token).content(Some("thought")).await?.model().await?;
            interaction.create_followup(&to.token).content("more").await?.model().await?;
            interaction.create_followup(&to.token).content("whisper").flags(MessageFlags::EPHEMERAL).await?;
            let gone = interaction.create_followup(&to.token).content("gone").await?.model().await?;
            interaction.delete_followup(&to.token, gone.id).await?;
            return Ok(());
        }
        "tour" => {
            send(bot, home, to, InteractionResponseType::DeferredChannelMessageWithSource, None).await?;
            let user = to.author_id().ok_or_else(|| anyhow::anyhow!("nobody asked"))?;
            tour::run(bot, home, user).await?;
            interaction.update_response(&to.token).content(Some("toured")).await?;
            return Ok(());
        }
        "edits" => {
            let data = InteractionResponseData {
                flags: Some(MessageFlags::EPHEMERAL),
                ..InteractionResponseData::default()
            };
            respond(bot, home, to, InteractionResponseType::DeferredChannelMessageWithSource, data).await?;
            interaction.update_response(&to.token).content(Some("one")).await?;
            let followup =
                interaction.create_followup(&to.token).content("two").flags(MessageFlags::EPHEMERAL);
            let followup = followup.await?.model().await?.id;
            interaction.update_followup(&to.token, followup).content(Some("three")).await?;
            return Ok(());
        }
        "form" => return respond(bot, home, to, InteractionResponseType::Modal, layouts::form()).await,
        "layout" => return answer(bot, home, to, layouts::layout()).await,
        "secret" => return answer(bot, home, to, whisper("secret")).await,
        "panel" => {
            return answer(bot, home, to, InteractionResponseData { components: Some(panel()), ..text("0") })
                .await;
        }
        "pick" => {
            let colours =
                ["red", "green", "blue"].map(|colour| SelectMenuOptionBuilder::new(colour, colour).build());
            let menu = SelectMenuBuilder::new("strings", SelectMenuType::Text).max_values(2);
            let menu = colours.into_iter().fold(menu, SelectMenuBuilder::option);
            let data = InteractionResponseData { components: Some(vec![row(menu.build())]), ..text("pick") };
            return answer(bot, home, to, data).await;
        }
        other => anyhow::bail!("there is no command {other}"),
    };
    answer(bot, home, to, text(content)).await
}

fn row(component: impl Into<Component>) -> Component {
    ActionRowBuilder::new().component(component).build().into()
}

fn panel() -> Vec<Component> {
    let button = |id: &str, style| -> Button { ButtonBuilder::new(style).custom_id(id).label(id).build() };
    let buttons = ActionRowBuilder::new()
        .component(button("count", ButtonStyle::Primary))
        .component(button("ask", ButtonStyle::Success))
        .component(button("close", ButtonStyle::Danger))
        .component(ButtonBuilder::new(ButtonStyle::Link).url("https://example.com").label("link").build());
    let menu = SelectMenuBuilder::new;
    let places = vec![ChannelType::GuildText];
    vec![
        buttons.build().into(),
        row(menu("users", SelectMenuType::User).max_values(2).build()),
        row(menu("roles", SelectMenuType::Role).build()),
        row(menu("mentionables", SelectMenuType::Mentionable).max_values(2).build()),
        row(menu("channels", SelectMenuType::Channel).channel_types(places).build()),
    ]
}

fn options(data: &CommandData) -> Value {
    let mut seen = json!({});
    let Some(resolved) = &data.resolved else {
        return data.options.iter().map(|option| (option.name.clone(), plain(&option.value))).collect();
    };
    for option in &data.options {
        let name = option.name.as_str();
        match &option.value {
            CommandOptionValue::User(id) if resolved.members[id].joined_at.is_some() => {
                seen[name] = json!(resolved.users[id].name);
            }
            CommandOptionValue::Channel(id) => seen[name] = json!(resolved.channels[id].name),
            CommandOptionValue::Role(id) => seen[name] = json!(resolved.roles[id].name),
            CommandOptionValue::Mentionable(id) => seen[name] = json!(resolved.users[&id.cast()].name),
            CommandOptionValue::Attachment(id) => {
                seen[name] = json!(resolved.attachments[id].filename);
                seen["size"] = json!(resolved.attachments[id].size);
            }
            value => seen[name] = plain(value),
        }
    }
    seen
}

fn plain(value: &CommandOptionValue) -> Value {
    match value {
        CommandOptionValue::String(value) => json!(value),
        CommandOptionValue::Integer(value) => json!(value),
        CommandOptionValue::Boolean(value) => json!(value),
        CommandOptionValue::Number(value) => json!(value),
        _ => Value::Null,
    }
}

async fn world(bot: &Bot, home: &Home) -> anyhow::Result<Value> {
    fn describe(
        guild: &str,
        owner: &str,
        channels: &[Channel],
        mut members: Vec<String>,
        roles: &[Role],
    ) -> Value {
        members.sort();
        let mut roles: Vec<_> = roles.iter().map(|role| &role.name).collect();
        roles.sort();
        let channels: BTreeMap<_, u8> = channels
            .iter()
            .map(|c| (c.name.as_deref(), c.kind.into()))
            .map(|(n, k)| (n.unwrap_or_default(), k))
            .collect();
        json!({ "guild": guild, "owner": owner, "channels": channels, "members": members, "roles": roles })
    }
    let cache = &bot.cache;
    let nobody = || anyhow::anyhow!("not in the cache");
    let guild = cache.guild(home.guild).ok_or_else(nobody)?;
    let owner = cache.user(guild.owner_id()).ok_or_else(nobody)?.name.clone();
    let channels: Vec<Channel> = cache
        .guild_channels(home.guild)
        .ok_or_else(nobody)?
        .iter()
        .filter_map(|id| Some(cache.channel(*id)?.clone()))
        .collect();
    let members = cache.guild_members(home.guild).ok_or_else(nobody)?;
    let members = members.iter().filter_map(|id| Some(cache.user(*id)?.name.clone())).collect();
    let roles: Vec<Role> = cache
        .guild_roles(home.guild)
        .ok_or_else(nobody)?
        .iter()
        .filter_map(|id| Some((**cache.role(*id)?).clone()))
        .collect();
    let cached = describe(guild.name(), &owner, &channels, members, &roles);
    drop(guild);
    let http = &bot.http;
    let guild: Guild = http.guild(home.guild).await?.model().await?;
    let found = http.guild_members(home.guild).limit(100).await?.models().await?;
    let owner =
        found.iter().find(|member| member.user.id == guild.owner_id).ok_or_else(nobody)?.user.name.clone();
    let channels = http.guild_channels(home.guild).await?.models().await?;
    let roles = http.roles(home.guild).await?.models().await?;
    let members = found.into_iter().map(|member| member.user.name).collect();
    Ok(json!({ "cached": cached, "fetched": describe(&guild.name, &owner, &channels, members, &roles) }))
}

async fn members(bot: &Bot, home: &Home) -> anyhow::Result<String> {
    let (sender, mut chunks) = mpsc::unbounded_channel();
    *bot.chunks.lock().await = Some(sender);
    bot.gateway
        .command(&RequestGuildMembers::builder(home.guild).presences(true).nonce("asked").query("", None))?;
    let mut names = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        anyhow::ensure!(chunk.nonce.as_deref() == Some("asked"), "a chunk without its nonce");
        names.extend(chunk.members.into_iter().map(|member| member.user.name));
        if chunk.chunk_index + 1 == chunk.chunk_count {
            break;
        }
    }
    names.sort();
    Ok(names.join(" "))
}
