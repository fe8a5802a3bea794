//! The cases of a user in pages, from `/case list` and a user's menu.

use poise::CreateReply;
use sdk::prelude::*;
use sdk::text;
use serenity::{
    ComponentInteraction, CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed,
    CreateEmbedFooter, CreateInteractionResponse, CreateInteractionResponseMessage, GuildId,
    Mentionable as _, User, UserId,
};

use crate::act;
use crate::cases::{self, Case};
use crate::guard::ModerationContext;
use crate::{log, settings};

/// Prefix of the custom ids of buttons: `moderation:history:USER:PAGE`. Pages count from 0.
pub(crate) const PAGE: &str = "moderation:history:";

/// Number of cases on one page.
const CASES: i64 = 8;

/// Shows what moderators did to a user
#[poise::command(
    context_menu_command = "Moderation history",
    guild_only,
    ephemeral,
    default_member_permissions = "MODERATE_MEMBERS"
)]
pub(crate) async fn moderation_history(ctx: Context<'_>, user: User) -> Result<(), Error> {
    show(ctx, &user).await
}

/// Answers with the first page.
pub(crate) async fn show(ctx: Context<'_>, user: &User) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let page = Page::read(&at.data, at.guild, user.id, 0).await?;
    let reply = CreateReply::default().embed(page.embed()).components(page.buttons());
    ctx.send(reply.ephemeral(true).allowed_mentions(CreateAllowedMentions::new())).await?;
    Ok(())
}

/// Turns the page. Only who has asked for the pages sees them and their buttons.
pub(crate) async fn turned(ctx: EventContext, press: ComponentInteraction) -> Result<(), Error> {
    let wanted = read(&press.data.custom_id);
    let (Some((user, page)), Some(guild)) = (wanted, press.guild_id) else {
        return Err(Refusal::new("This button has no meaning any more; use `/case list` instead.").into());
    };
    let page = Page::read(ctx.data(), guild, user, page).await?;
    let message = CreateInteractionResponseMessage::new().embed(page.embed()).components(page.buttons());
    press.create_response(&ctx, CreateInteractionResponse::UpdateMessage(message)).await?;
    Ok(())
}

/// Parses a custom id.
fn read(custom_id: &str) -> Option<(UserId, i64)> {
    let (user, page) = custom_id.strip_prefix(PAGE)?.split_once(':')?;
    let page = page.parse().ok().filter(|page| (0..=i64::MAX / CASES).contains(page))?;
    Some((UserId::new(user.parse().ok().filter(|id| *id > 0)?), page))
}

struct Page {
    user: UserId,
    page: i64,
    pages: i64,
    count: i64,
    points: i64,
    cases: Vec<Case>,
}

impl Page {
    /// Reads a page, the last one if there are fewer by now.
    async fn read(data: &Data, guild: GuildId, user: UserId, page: i64) -> Result<Self, Error> {
        let sql = data.sql();
        let (mut cases, count) = cases::of_user(&sql, guild, user, (page * CASES, CASES)).await?;
        let pages = ((count + CASES - 1) / CASES).max(1);
        let last = page.min(pages - 1);
        if last < page {
            (cases, _) = cases::of_user(&sql, guild, user, (last * CASES, CASES)).await?;
        }
        let since = settings::of(data, guild).get().await?.points_since();
        let points = cases::points(&sql, guild, user, since).await?;
        Ok(Self { user, page: last, pages, count, points, cases })
    }

    fn embed(&self) -> CreateEmbed {
        let mut lines = vec![format!("{} has {} that count.", self.user.mention(), act::points(self.points))];
        if self.cases.is_empty() {
            lines.push("There is no case.".to_owned());
        }
        lines.extend(self.cases.iter().map(line));
        let mut facts = vec![text::count(usize::try_from(self.count).unwrap_or_default(), "case")];
        if self.pages > 1 {
            facts.insert(0, format!("Page {} of {}", self.page + 1, self.pages));
        }
        CreateEmbed::new()
            .title("History")
            .color(log::COLOR)
            .description(text::cut(lines.join("\n"), text::EMBED_DESCRIPTION))
            .footer(CreateEmbedFooter::new(facts.join(" · ")))
    }

    fn buttons(&self) -> Vec<CreateActionRow> {
        if self.pages < 2 {
            return Vec::new();
        }
        let button = |to: i64, label: &str, works: bool| {
            CreateButton::new(format!("{PAGE}{}:{to}", self.user)).label(label).disabled(!works)
        };
        vec![CreateActionRow::Buttons(vec![
            button((self.page - 1).max(0), "Newer", self.page > 0),
            button(self.page + 1, "Older", self.page + 1 < self.pages),
        ])]
    }
}

fn line(case: &Case) -> String {
    let mut line = format!("`{}` **{}** <t:{}:d>", case.number, case.kind, case.created_at);
    if case.points > 0 {
        line += &format!(", {}", act::points(case.points));
    }
    line += &format!(" by {}", case.moderator.mention());
    if let Some(cause) = case.cause {
        line += &format!(", consequence of case {cause}");
    }
    if let Some(reason) = &case.reason {
        line += &format!(": {}", foreign(reason, Surface::Line, 200));
    }
    if case.removed_at.is_some() { format!("~~{line}~~ removed") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_names_its_user_and_page() {
        assert_eq!(read("moderation:history:7:3"), Some((UserId::new(7), 3)));
        for id in ["moderation:history:7", "moderation:history:0:1", "moderation:history:7:-1", "other:7:1"] {
            assert_eq!(read(id), None, "{id}");
        }
        assert_eq!(read(&format!("moderation:history:7:{}", i64::MAX)), None);
    }
}
