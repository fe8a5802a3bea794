//! Commands, components, modals and completions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use serenity::all::*;
use serenity::collector::collect;
use serenity::futures::StreamExt as _;

use crate::{Outcome, tour};

const FRUITS: [&str; 4] = ["apple", "banana", "cherry", "mango"];

fn commands() -> Vec<CreateCommand> {
    let slash = |name: &str, description: &str| CreateCommand::new(name).description(description);
    let option = |kind, name: &str| CreateCommandOption::new(kind, name, format!("A {name}"));
    let leaf = option(CommandOptionType::SubCommand, "leaf")
        .add_sub_option(option(CommandOptionType::String, "name").required(true));
    vec![
        slash("world", "What the bot knows"),
        slash("options", "All types of options")
            .add_option(option(CommandOptionType::String, "text").required(true).max_length(50))
            .add_option(option(CommandOptionType::Integer, "whole").min_int_value(1))
            .add_option(option(CommandOptionType::Boolean, "flag"))
            .add_option(option(CommandOptionType::User, "user"))
            .add_option(option(CommandOptionType::Channel, "channel").channel_types(vec![ChannelType::Text]))
            .add_option(option(CommandOptionType::Role, "role"))
            .add_option(option(CommandOptionType::Mentionable, "mention"))
            .add_option(option(CommandOptionType::Number, "number").max_number_value(9.5))
            .add_option(option(CommandOptionType::Attachment, "file")),
        slash("tree", "Subcommands")
            .add_option(option(CommandOptionType::SubCommandGroup, "branch").add_sub_option(leaf))
            .add_option(option(CommandOptionType::SubCommand, "root")),
        slash("think", "Answers late"),
        slash("secret", "Answers to one"),
        slash("edits", "Edits what one sees"),
        slash("panel", "Buttons and menus"),
        slash("pick", "A menu of texts"),
        slash("find", "Completes")
            .add_option(option(CommandOptionType::String, "query").set_autocomplete(true).required(true)),
        CreateCommand::new("Greet").kind(CommandType::User),
        CreateCommand::new("Quote").kind(CommandType::Message),
        slash("members", "Asks the gateway"),
        slash("tour", "Makes and deletes").default_member_permissions(Permissions::MANAGE_GUILD),
    ]
}

/// Registers the commands, and reports it.
pub(crate) async fn register(ctx: &Context, guild: &Guild) -> Outcome {
    guild.id.set_commands(ctx, commands()).await?;
    let about = Command::create_global_command(ctx, CreateCommand::new("about").description("Who?")).await?;
    let better = CreateCommand::new("about").description("Who is this?");
    Command::edit_global_command(ctx, about.id, better).await?;
    guild.id.get_commands(ctx).await?;
    let channel =
        guild.channels.values().find(|channel| channel.name == "bot-test").ok_or("there is no #bot-test")?;
    channel.say(ctx, "ready").await?;
    Ok(())
}

fn text(content: impl Into<String>) -> CreateInteractionResponseMessage {
    CreateInteractionResponseMessage::new().content(content)
}

fn answer(message: CreateInteractionResponseMessage) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(message)
}

pub(crate) async fn handle(ctx: &Context, interaction: Interaction) -> Outcome {
    match interaction {
        Interaction::Command(command) => run(ctx, command).await,
        Interaction::Autocomplete(command) => {
            let typed = command.data.autocomplete().ok_or("nothing is being typed")?.value;
            let choices = FRUITS.iter().filter(|fruit| fruit.contains(typed));
            let choices = choices.map(|fruit| AutocompleteChoice::new(*fruit, *fruit)).collect();
            let response = CreateAutocompleteResponse::new().set_choices(choices);
            Ok(command.create_response(ctx, CreateInteractionResponse::Autocomplete(response)).await?)
        }
        Interaction::Component(component) => press(ctx, component).await,
        Interaction::Modal(modal) => {
            let inputs =
                modal.data.components.iter().flat_map(|row| &row.components).filter_map(|component| {
                    match component {
                        ActionRowComponent::InputText(input) => {
                            Some((input.custom_id.as_str(), input.value.as_deref()?))
                        }
                        _ => None,
                    }
                });
            let values: BTreeMap<_, _> = inputs.collect();
            let content = format!("name={} about={}", values["name"], values["about"]);
            Ok(modal.create_response(ctx, answer(text(content))).await?)
        }
        _ => Ok(()),
    }
}

async fn press(ctx: &Context, component: ComponentInteraction) -> Outcome {
    let response = match (component.data.custom_id.as_str(), &component.data.kind) {
        ("count", _) => {
            let more = component.message.content.parse::<u64>()? + 1;
            CreateInteractionResponse::UpdateMessage(text(more.to_string()))
        }
        ("close", _) => CreateInteractionResponse::UpdateMessage(text("closed").components(Vec::new())),
        ("ask", _) => {
            let input = |id, style| CreateActionRow::InputText(CreateInputText::new(style, id, id));
            let rows = vec![input("name", InputTextStyle::Short), input("about", InputTextStyle::Paragraph)];
            CreateInteractionResponse::Modal(CreateModal::new("question", "A question").components(rows))
        }
        (menu, kind) => {
            let mut names = Vec::new();
            match kind {
                ComponentInteractionDataKind::StringSelect { values } => names.clone_from(values),
                ComponentInteractionDataKind::UserSelect { values } => {
                    for user in values {
                        names.push(user.to_user(ctx).await?.name);
                    }
                }
                ComponentInteractionDataKind::RoleSelect { values } => {
                    let guild = component.guild_id.ok_or("not in a guild")?.roles(ctx).await?;
                    names.extend(values.iter().map(|role| guild[role].name.clone()));
                }
                ComponentInteractionDataKind::MentionableSelect { values } => {
                    let guild = component.guild_id.ok_or("not in a guild")?.roles(ctx).await?;
                    for id in values {
                        names.push(match guild.get(&RoleId::new(id.get())) {
                            Some(role) => role.name.clone(),
                            None => UserId::new(id.get()).to_user(ctx).await?.name,
                        });
                    }
                }
                ComponentInteractionDataKind::ChannelSelect { values } => {
                    for channel in values {
                        names.push(channel.name(ctx).await?);
                    }
                }
                other => return Err(format!("{other:?}").into()),
            }
            names.sort();
            names.insert(0, menu.to_owned());
            answer(text(names.join(" ")).ephemeral(true))
        }
    };
    Ok(component.create_response(ctx, response).await?)
}

async fn run(ctx: &Context, command: CommandInteraction) -> Outcome {
    let guild = command.guild_id.ok_or("not in a guild")?;
    let content = match command.data.name.as_str() {
        "about" => ctx.http.get_current_application_info().await?.name,
        "world" => world(ctx, guild).await?.to_string(),
        "options" => options(&command.data).to_string(),
        "tree" => {
            let mut names = Vec::new();
            let mut level = command.data.options();
            while let Some(option) = level.pop() {
                match option.value {
                    ResolvedValue::SubCommandGroup(inner) => level = inner,
                    ResolvedValue::SubCommand(inner) => {
                        names.push(option.name);
                        level = inner;
                    }
                    ResolvedValue::String(value) => names.push(value),
                    _ => {}
                }
            }
            names.join(" ")
        }
        "find" => format!("found {}", command.data.options[0].value.as_str().unwrap_or_default()),
        "Greet" | "Quote" => match command.data.target().ok_or("no target")? {
            ResolvedTarget::User(user, Some(_)) => format!("hello {}", user.name),
            ResolvedTarget::Message(message) => format!("{}: {}", message.author.name, message.content),
            other => return Err(format!("{other:?}").into()),
        },
        "members" => members(ctx, guild).await?,
        "think" => {
            command.defer(ctx).await?;
            command.edit_response(ctx, EditInteractionResponse::new().content("thought")).await?;
            let followup = |content| CreateInteractionResponseFollowup::new().content(content);
            command.create_followup(ctx, followup("more")).await?;
            command.create_followup(ctx, followup("whisper").ephemeral(true)).await?;
            let gone = command.create_followup(ctx, followup("gone")).await?;
            return Ok(command.delete_followup(ctx, gone.id).await?);
        }
        "tour" => {
            command.defer(ctx).await?;
            tour::run(ctx, guild, &command.user).await?;
            command.edit_response(ctx, EditInteractionResponse::new().content("toured")).await?;
            return Ok(());
        }
        "edits" => {
            command.defer_ephemeral(ctx).await?;
            command.edit_response(ctx, EditInteractionResponse::new().content("one")).await?;
            let followup = |content| CreateInteractionResponseFollowup::new().content(content);
            let sent = command.create_followup(ctx, followup("two").ephemeral(true)).await?;
            command.edit_followup(ctx, sent.id, followup("three")).await?;
            return Ok(());
        }
        "secret" => return Ok(command.create_response(ctx, answer(text("secret").ephemeral(true))).await?),
        "panel" => return Ok(command.create_response(ctx, answer(text("0").components(panel()))).await?),
        "pick" => {
            let options = ["red", "green", "blue"].map(|c| CreateSelectMenuOption::new(c, c)).to_vec();
            let menu =
                CreateSelectMenu::new("strings", CreateSelectMenuKind::String { options }).max_values(2);
            return Ok(command.create_response(ctx, answer(text("pick").select_menu(menu))).await?);
        }
        other => return Err(format!("there is no command {other}").into()),
    };
    Ok(command.create_response(ctx, answer(text(content))).await?)
}

fn panel() -> Vec<CreateActionRow> {
    let button = |id: &str, style| CreateButton::new(id).label(id).style(style);
    let buttons = vec![
        button("count", ButtonStyle::Primary),
        button("ask", ButtonStyle::Success),
        button("close", ButtonStyle::Danger),
        CreateButton::new_link("https://example.com").label("link"),
    ];
    let menu =
        |id: &str, kind, most| CreateActionRow::SelectMenu(CreateSelectMenu::new(id, kind).max_values(most));
    let mentionables = CreateSelectMenuKind::Mentionable { default_users: None, default_roles: None };
    let text = Some(vec![ChannelType::Text]);
    vec![
        CreateActionRow::Buttons(buttons),
        menu("users", CreateSelectMenuKind::User { default_users: None }, 2),
        menu("roles", CreateSelectMenuKind::Role { default_roles: None }, 1),
        menu("mentionables", mentionables, 2),
        menu("channels", CreateSelectMenuKind::Channel { channel_types: text, default_channels: None }, 1),
    ]
}

fn options(data: &CommandData) -> Value {
    let mut seen = json!({});
    for option in data.options() {
        seen[option.name] = match option.value {
            ResolvedValue::String(value) => json!(value),
            ResolvedValue::Integer(value) => json!(value),
            ResolvedValue::Boolean(value) => json!(value),
            ResolvedValue::Number(value) => json!(value),
            ResolvedValue::User(user, Some(member))
                if member.joined_at.is_some() || option.name == "mention" =>
            {
                json!(user.name)
            }
            ResolvedValue::Channel(channel) => json!(channel.name),
            ResolvedValue::Role(role) => json!(role.name),
            ResolvedValue::Attachment(file) => {
                seen["size"] = json!(file.size);
                json!(file.filename)
            }
            other => json!(format!("{other:?}")),
        };
    }
    seen
}

async fn world(ctx: &Context, id: GuildId) -> Result<Value, Error> {
    fn describe(
        guild: (&str, UserId),
        channels: &std::collections::HashMap<ChannelId, GuildChannel>,
        members: &[Member],
        roles: &std::collections::HashMap<RoleId, Role>,
    ) -> Value {
        let mut names: Vec<_> = members.iter().map(|member| &member.user.name).collect();
        let mut roles: Vec<_> = roles.values().map(|role| &role.name).collect();
        names.sort();
        roles.sort();
        let channels: BTreeMap<_, _> = channels.values().map(|c| (&c.name, u8::from(c.kind))).collect();
        let owner = members.iter().find(|member| member.user.id == guild.1).map(|member| &member.user.name);
        json!({ "guild": guild.0, "owner": owner, "channels": channels, "members": names, "roles": roles })
    }
    let cached = ctx.cache.guild(id).map(|guild| {
        let members: Vec<_> = guild.members.values().cloned().collect();
        describe((&guild.name, guild.owner_id), &guild.channels, &members, &guild.roles)
    });
    let fresh = ctx.http.get_guild(id).await?;
    let members = fresh.members(ctx, Some(100), None).await?;
    let (channels, roles) = (fresh.channels(ctx).await?, id.roles(ctx).await?);
    let fetched = describe((&fresh.name, fresh.owner_id), &channels, &members, &roles);
    Ok(json!({ "cached": cached, "fetched": fetched }))
}

async fn members(ctx: &Context, guild: GuildId) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let chunks = collect(&ctx.shard, |event: &Event| match event {
        Event::GuildMembersChunk(chunk) if chunk.nonce.as_deref() == Some("asked") => Some(chunk.clone()),
        _ => None,
    });
    tokio::pin!(chunks);
    ctx.shard.chunk_guild(guild, None, true, ChunkGuildFilter::None, Some("asked".to_owned()));
    let mut names = Vec::new();
    while let Some(chunk) = tokio::time::timeout(Duration::from_secs(2), chunks.next()).await? {
        names.extend(chunk.members.values().map(|member| member.user.name.clone()));
        if chunk.chunk_index + 1 == chunk.chunk_count {
            break;
        }
    }
    names.sort();
    Ok(names.join(" "))
}
