//! Custom emojis of buttons and options, which must exist.

use serde_json::Value;

use super::Live;
use crate::error::{ApiResult, FieldError, Segment};
use crate::snowflake::Snowflake;
use crate::validate::Form;

impl Live<'_> {
    /// Checks the emojis of components whose list is at `components` of the body, below `within`.
    pub fn check_emojis(&self, components: &[Value], within: &[&str]) -> ApiResult<()> {
        if components.is_empty() {
            return Ok(());
        }
        let mut path: Vec<Segment> = within.iter().copied().map(Segment::from).collect();
        path.push("components".into());
        Form::read(|form| {
            self.each_emoji(form, components, &mut path);
            form.is_clean().then_some(())
        })
    }

    fn each_emoji(&self, form: &mut Form, components: &[Value], path: &mut Vec<Segment>) {
        for (index, component) in components.iter().enumerate() {
            path.push(index.into());
            self.one_emoji(form, component, path);
            for key in ["components", "options"] {
                if let Some(inner) = component[key].as_array() {
                    path.push(key.into());
                    self.each_emoji(form, inner, path);
                    path.pop();
                }
            }
            if let Some(accessory) = component.get("accessory") {
                path.push("accessory".into());
                self.one_emoji(form, accessory, path);
                path.pop();
            }
            path.pop();
        }
    }

    fn one_emoji(&self, form: &mut Form, component: &Value, path: &[Segment]) {
        let id: Option<Snowflake> = component["emoji"]["id"].as_str().and_then(|id| id.parse().ok());
        if id.is_some_and(|id| self.custom_emoji(id).is_none()) {
            let path = path.iter().cloned().chain(["emoji".into(), "id".into()]);
            form.complain_below(path, FieldError::new("BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji"));
        }
    }
}
