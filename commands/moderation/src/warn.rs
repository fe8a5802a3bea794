//! `/warn`, the same in a message's menu, and what warnings lead to.

use sdk::database::DatabaseError;
use sdk::prelude::*;
use sdk::text;
use serenity::{
    ActionRowComponent, Attachment, ChannelId, CreateActionRow, CreateInputText, CreateInteractionResponse,
    CreateModal, InputTextStyle, Message, MessageId, ModalInteraction, User,
};

use crate::act::{self, Done, Order};
use crate::cases::Kind;
use crate::guard::{ModerationContext, Target};
use crate::settings::{self, Action, Consequence};
use crate::{answer, discord, evidence};

/// Prefix of the custom ids of forms: `moderation:warn:CHANNEL:MESSAGE`.
pub(crate) const FORM: &str = "moderation:warn:";

/// Most points of one warning.
const POINTS: i64 = 100;
/// Maximum number of characters of a message that are kept with a case.
const QUOTE: usize = 1000;

/// Warns a member, with points that can have consequences
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MODERATE_MEMBERS")]
pub(crate) async fn warn(
    ctx: Context<'_>,
    #[description = "Whom to warn"] user: User,
    #[description = "Why, for the user and the case"]
    #[max_length = 400]
    reason: String,
    #[description = "Points; 1, if left out"]
    #[min = 0]
    #[max = 100]
    points: Option<i64>,
    #[description = "Link to the evidence"]
    #[max_length = 500]
    evidence: Option<String>,
    #[description = "File with the evidence"] file: Option<Attachment>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let evidence = evidence::of(evidence, file.as_ref())?;
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    let points = points.unwrap_or(1);
    let order = Order { evidence, points, ..Order::new(Kind::Warning, target, Some(reason)) };
    answer::sentence(ctx, warned(&at, order).await?).await
}

/// Warns the author of a message, which becomes the evidence
#[poise::command(
    context_menu_command = "Warn about this message",
    guild_only,
    ephemeral,
    default_member_permissions = "MODERATE_MEMBERS"
)]
pub(crate) async fn warn_about(ctx: Context<'_>, message: Message) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    // What can be refused without a request is refused before the form is filled in.
    let author = Target { user: message.author.clone(), roles: None };
    at.check(&author, "warn")?;
    let poise::Context::Application(app) = ctx else { return Ok(()) };
    let reason = CreateInputText::new(InputTextStyle::Paragraph, "Reason", "reason").max_length(400);
    let points = CreateInputText::new(InputTextStyle::Short, "Points", "points").max_length(3).value("1");
    let rows = vec![CreateActionRow::InputText(reason), CreateActionRow::InputText(points)];
    let name = foreign(&message.author.name, Surface::Label, 30);
    let id = format!("{FORM}{}:{}", message.channel_id, message.id);
    let form = CreateModal::new(id, format!("Warn {name}")).components(rows);
    app.interaction.create_response(ctx, CreateInteractionResponse::Modal(form)).await?;
    Ok(())
}

/// Warns the author of a message, as the form says.
pub(crate) async fn submitted(ctx: EventContext, form: ModalInteraction) -> Result<(), Error> {
    form.defer_ephemeral(&ctx).await?;
    // After "thinking", the host cannot answer any more.
    let (sentence, failure) = match submit(&ctx, &form).await {
        Ok(sentence) => (sentence, None),
        Err(error) if is_for_users(&error) => (error.to_string(), None),
        Err(error) => ("Something went wrong; the bot's log says what.".to_owned(), Some(error)),
    };
    let answer = serenity::EditInteractionResponse::new()
        .content(answer::ended(sentence))
        .allowed_mentions(serenity::CreateAllowedMentions::new());
    form.edit_response(&ctx, answer).await?;
    failure.map_or(Ok(()), Err)
}

async fn submit(ctx: &EventContext, form: &ModalInteraction) -> Result<String, Error> {
    let at = ModerationContext::submitting(ctx, form)?;
    let (channel, message) = place(&form.data.custom_id).ok_or("a form has another custom id")?;
    let reason = value(form, "reason").trim().to_owned();
    if reason.is_empty() {
        return Err(Refusal::new("A warning needs a reason.").into());
    }
    let points = value(form, "points").trim().parse().ok().filter(|points| (0..=POINTS).contains(points));
    let points =
        points.ok_or_else(|| Refusal::new(format!("The points have to be a number from 0 to {POINTS}.")))?;
    let message = ctx.http.get_message(channel, message).await;
    let message =
        message.map_err(|error| discord::explained(error, "read that message, which may be deleted"))?;
    let target = at.target(message.author.clone()).await?;
    let quote = Some(text::cut(message.content.as_str(), QUOTE)).filter(|quote| !quote.is_empty());
    let evidence = Some(message.id.link(channel, Some(at.guild)));
    let order = Order { evidence, quote, points, ..Order::new(Kind::Warning, target, Some(reason)) };
    warned(&at, order).await
}

/// Returns whether the text of an error is for users.
fn is_for_users(error: &Error) -> bool {
    error.is::<Refusal>() || error.downcast_ref::<DatabaseError>().is_some_and(DatabaseError::is_unavailable)
}

fn place(custom_id: &str) -> Option<(ChannelId, MessageId)> {
    let (channel, message) = custom_id.strip_prefix(FORM)?.split_once(':')?;
    Some((ChannelId::new(channel.parse().ok()?), MessageId::new(message.parse().ok()?)))
}

/// Returns what was entered into a field.
fn value<'a>(form: &'a ModalInteraction, field: &str) -> &'a str {
    let fields = form.data.components.iter().flat_map(|row| &row.components);
    let mut texts = fields.filter_map(|component| match component {
        ActionRowComponent::InputText(text) if text.custom_id == field => text.value.as_deref(),
        _ => None,
    });
    texts.next().unwrap_or_default()
}

/// Warns, and does what the points lead to. Returns the answer.
async fn warned(at: &ModerationContext, order: Order) -> Result<String, Error> {
    let (target, added) = (order.target.clone(), order.points);
    let Done { number, points, mut sentence } = act::perform(at, order).await?;
    let settings = settings::of(&at.data, at.guild).get().await?;
    let Some(consequence) = settings.reached(points - added, points) else { return Ok(sentence) };
    let order = Order { cause: Some(number), ..ordered(consequence, target, points) };
    match act::perform(at, order).await {
        Ok(done) => sentence += &format!("; as a consequence, {}", done.sentence),
        Err(error) if is_for_users(&error) => {
            let why = error.to_string();
            sentence += &format!("; the consequence was not carried out: {}", text::clause(&why));
        }
        Err(error) => {
            sdk::tracing::error!(guild = %at.guild, number, %error, "the consequence of a warning failed");
            sentence += "; the consequence was not carried out, because something went wrong";
        }
    }
    Ok(sentence)
}

fn ordered(consequence: &Consequence, target: Target, points: i64) -> Order {
    let reason = Some(format!("Consequence of {} of warnings", act::points(points)));
    let kind = match consequence.action {
        Action::Timeout => Kind::Timeout,
        Action::Kick => Kind::Kick,
        Action::Ban if consequence.seconds.is_some() => Kind::TemporaryBan,
        Action::Ban => Kind::Ban,
    };
    Order { lasts: consequence.lasts(), ..Order::new(kind, target, reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_names_its_message() {
        assert_eq!(place("moderation:warn:5:6"), Some((ChannelId::new(5), MessageId::new(6))));
        assert_eq!(place("moderation:warn:5"), None);
        assert_eq!(place("moderation:other:5:6"), None);
    }
}
