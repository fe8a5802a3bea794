//! A modal of labels, and a message of Components V2.

use std::collections::BTreeMap;

use twilight_model::application::interaction::modal::{ModalInteractionComponent, ModalInteractionData};
use twilight_model::channel::message::MessageFlags;
use twilight_model::channel::message::component::{
    ButtonStyle, Component, SelectMenuType, TextInput, TextInputStyle, UnfurledMediaItem,
};
use twilight_model::http::attachment::Attachment;
use twilight_model::http::interaction::InteractionResponseData;
use twilight_util::builder::message::{
    ButtonBuilder, ContainerBuilder, FileDisplayBuilder, LabelBuilder, SectionBuilder, SelectMenuBuilder,
    SelectMenuOptionBuilder, SeparatorBuilder, TextDisplayBuilder,
};

fn text(content: &str) -> Component {
    TextDisplayBuilder::new(content).build().into()
}

pub fn layout() -> InteractionResponseData {
    let more = ButtonBuilder::new(ButtonStyle::Primary).custom_id("more").label("more").build();
    let file = UnfurledMediaItem {
        content_type: None,
        height: None,
        proxy_url: None,
        url: "attachment://hello.txt".to_owned(),
        width: None,
    };
    let container = ContainerBuilder::new()
        .accent_color(Some(0x00_ff00))
        .component(text("# Zero"))
        .component(SeparatorBuilder::new().build())
        .component(SectionBuilder::new(more).component(text("One more?")).build())
        .component(FileDisplayBuilder::new(file).build())
        .build();
    InteractionResponseData {
        attachments: Some(vec![Attachment::from_bytes("hello.txt".to_owned(), b"hello file".to_vec(), 1)]),
        components: Some(vec![container.into()]),
        flags: Some(MessageFlags::IS_COMPONENTS_V2),
        ..InteractionResponseData::default()
    }
}

pub fn more() -> InteractionResponseData {
    InteractionResponseData {
        attachments: Some(Vec::new()),
        components: Some(vec![text("# One")]),
        ..InteractionResponseData::default()
    }
}

pub fn form() -> InteractionResponseData {
    #[expect(deprecated, reason = "the field is still there, but a label has the text")]
    let name = TextInput {
        custom_id: "name".to_owned(),
        id: None,
        label: None,
        max_length: None,
        min_length: None,
        placeholder: None,
        required: Some(true),
        style: TextInputStyle::Short,
        value: None,
    };
    let colours = ["red", "green", "blue"].map(|colour| SelectMenuOptionBuilder::new(colour, colour).build());
    let colour = SelectMenuBuilder::new("colour", SelectMenuType::Text);
    let colour = colours.into_iter().fold(colour, SelectMenuBuilder::option).build();
    let who = SelectMenuBuilder::new("who", SelectMenuType::User).build();
    let labels = [
        ("Name", Component::TextInput(name)),
        ("Colour", Component::SelectMenu(colour)),
        ("Who", Component::SelectMenu(who)),
    ];
    let labels = labels.map(|(text, component)| Component::Label(LabelBuilder::new(text, component).build()));
    InteractionResponseData {
        components: Some(labels.to_vec()),
        custom_id: Some("form".to_owned()),
        title: Some("A form".to_owned()),
        ..InteractionResponseData::default()
    }
}

/// Returns the answer to a submitted form.
pub fn answer(data: ModalInteractionData) -> anyhow::Result<String> {
    let resolved = data.resolved.ok_or_else(|| anyhow::anyhow!("nothing resolved"))?;
    let mut values = BTreeMap::new();
    for component in data.components {
        let ModalInteractionComponent::Label(label) = component else { continue };
        match *label.component {
            ModalInteractionComponent::TextInput(input) => values.insert(input.custom_id, input.value),
            ModalInteractionComponent::StringSelect(menu) => {
                values.insert(menu.custom_id, menu.values.join(" "))
            }
            ModalInteractionComponent::UserSelect(menu) => {
                values.insert(menu.custom_id, resolved.users[&menu.values[0]].name.clone())
            }
            other => anyhow::bail!("{other:?}"),
        };
    }
    Ok(format!("name={} colour={} who={}", values["name"], values["colour"], values["who"]))
}
