//! The commands, and their registration.

use twilight_http::client::InteractionClient;
use twilight_model::application::command::{Command, CommandType};
use twilight_model::channel::ChannelType;
use twilight_model::guild::Permissions;
use twilight_model::id::Id;
use twilight_model::id::marker::GuildMarker;
use twilight_util::builder::command::{
    AttachmentBuilder, BooleanBuilder, ChannelBuilder, CommandBuilder, IntegerBuilder, MentionableBuilder,
    NumberBuilder, RoleBuilder, StringBuilder, SubCommandBuilder, SubCommandGroupBuilder, UserBuilder,
};

fn slash(name: &str, description: &str) -> CommandBuilder {
    CommandBuilder::new(name, description, CommandType::ChatInput)
}

fn all() -> Vec<Command> {
    let leaf =
        SubCommandBuilder::new("leaf", "A leaf").option(StringBuilder::new("name", "A name").required(true));
    vec![
        slash("world", "What the bot knows").build(),
        slash("options", "All types of options")
            .option(StringBuilder::new("text", "A text").required(true).max_length(50))
            .option(IntegerBuilder::new("whole", "A whole").min_value(1))
            .option(BooleanBuilder::new("flag", "A flag"))
            .option(UserBuilder::new("user", "A user"))
            .option(ChannelBuilder::new("channel", "A channel").channel_types([ChannelType::GuildText]))
            .option(RoleBuilder::new("role", "A role"))
            .option(MentionableBuilder::new("mention", "A mention"))
            .option(NumberBuilder::new("number", "A number").max_value(9.5))
            .option(AttachmentBuilder::new("file", "A file"))
            .build(),
        slash("tree", "Subcommands")
            .option(SubCommandGroupBuilder::new("branch", "A branch").subcommands([leaf]))
            .option(SubCommandBuilder::new("root", "A root"))
            .build(),
        slash("think", "Answers late").build(),
        slash("secret", "Answers to one").build(),
        slash("edits", "Edits what one sees").build(),
        slash("form", "A modal of labels").build(),
        slash("layout", "Components V2").build(),
        slash("panel", "Buttons and menus").build(),
        slash("pick", "A menu of texts").build(),
        slash("find", "Completes")
            .option(StringBuilder::new("query", "A query").autocomplete(true).required(true))
            .build(),
        CommandBuilder::new("Greet", "", CommandType::User).build(),
        CommandBuilder::new("Quote", "", CommandType::Message).build(),
        slash("members", "Asks the gateway").build(),
        slash("tour", "Makes and deletes").default_member_permissions(Permissions::MANAGE_GUILD).build(),
    ]
}

pub async fn register(client: InteractionClient<'_>, guild: Id<GuildMarker>) -> anyhow::Result<()> {
    client.set_guild_commands(guild, &all()).await?.models().await?;
    let about = client.create_global_command().chat_input("about", "Who?").await?.model().await?;
    let id = about.id.ok_or_else(|| anyhow::anyhow!("a command without an id"))?;
    client.update_global_command(id).description("Who is this?").await?;
    client.guild_commands(guild).await?.models().await?;
    Ok(())
}
