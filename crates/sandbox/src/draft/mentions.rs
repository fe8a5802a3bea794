//! Mentions of a message: those in its text, restricted by `allowed_mentions`.

use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::state::message::Message;
use crate::validate::component;
use crate::validate::mentions::AllowedMentions;

/// Sets the mentions of a message, by its author's `allowed_mentions`.
pub(super) fn apply(world: &World, message: &mut Message, allowed: Option<AllowedMentions>) {
    let allowed = allowed.unwrap_or_else(AllowedMentions::unrestricted);
    let text = text_of(message);
    let (mut users, mut roles) = (Vec::new(), Vec::new());
    let channel = world.channels.get(&message.channel_id);
    let guild = channel.and_then(|channel| channel.guild_id).and_then(|id| world.guilds.get(&id));
    let may_mention_all = match (guild, channel, message.author_id()) {
        (Some(_), Some(channel), Some(author)) => {
            world.permissions_in(author, channel).contains(Permissions::MENTION_EVERYONE)
        }
        (Some(_), _, None) => true,
        _ => false,
    };
    for token in tokens(&text) {
        match token {
            Token::User(id) if allowed.user(id) && world.users.contains_key(&id) => add(&mut users, id),
            Token::Role(id) if allowed.role(id) => {
                let role = guild.and_then(|guild| guild.roles.get(&id));
                if role.is_some_and(|role| role.mentionable || may_mention_all) {
                    add(&mut roles, id);
                }
            }
            _ => {}
        }
    }
    if allowed.replied_user
        && message.kind == 19
        && let Some(reference) = message.reference
        && let Some(other) = reference.message_id.and_then(|id| world.message(reference.channel_id, id))
        && let Some(author) = other.author_id()
    {
        add(&mut users, author);
    }
    let names_all = text.contains("@everyone") || text.contains("@here");
    message.mention_everyone = allowed.everyone && may_mention_all && names_all;
    message.mentions = users;
    message.mention_roles = roles;
}

fn add(list: &mut Vec<Snowflake>, id: Snowflake) {
    if !list.contains(&id) {
        list.push(id);
    }
}

/// Returns the text in which mentions count: the content, or the text displays of a message made of components.
fn text_of(message: &Message) -> String {
    let mut text = message.content.clone();
    for display in component::flatten(&message.components) {
        if display["type"] == component::kind::TEXT_DISPLAY {
            text.push('\n');
            text.push_str(display["content"].as_str().unwrap_or_default());
        }
    }
    text
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    User(Snowflake),
    Role(Snowflake),
}

/// Returns `<@1>`, `<@!1>` and `<@&1>` in a text.
fn tokens(text: &str) -> impl Iterator<Item = Token> {
    text.split("<@").skip(1).filter_map(|rest| {
        let (inside, _) = rest.split_once('>')?;
        match inside.strip_prefix('&') {
            Some(id) => id.parse().ok().map(Token::Role),
            None => inside.strip_prefix('!').unwrap_or(inside).parse().ok().map(Token::User),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_read_in_order_and_half_ones_are_text() {
        let found: Vec<_> = tokens("hi <@1> and <@!2>, <@&3>, <@x>, <@4").collect();
        assert_eq!(found, [Token::User(Snowflake(1)), Token::User(Snowflake(2)), Token::Role(Snowflake(3))]);
    }
}
