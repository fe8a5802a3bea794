//! Themes of the client that messages share (Message, "Shared Client Theme Object").

use serde_json::{Value, json};

use crate::error::FieldError;
use crate::validate::form::Form;

/// Reads a theme and returns it as Discord shows it.
pub(super) fn read(form: &mut Form, value: &Value) -> Option<Value> {
    let theme = form.object(value)?;
    let colors = form.required(theme, "colors", |form, value| form.list(value, 1..=5, color));
    let number = |form: &mut Form, key, most| form.required(theme, key, |form, value| form.uint(value, most));
    let (angle, mix) = (number(form, "gradient_angle", 360), number(form, "base_mix", 100));
    let base = form.optional(theme, "base_theme", |form, value| form.one_of(value, &[0, 1, 2, 3, 4]));
    Some(json!({
        "colors": colors?,
        "gradient_angle": angle?,
        "base_mix": mix?,
        "base_theme": base.unwrap_or(0),
    }))
}

fn color(form: &mut Form, value: &Value) -> Option<String> {
    let text = form.text(value, 6..=6)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        form.complain(FieldError::regex());
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_has_colors_an_angle_and_a_mix() {
        let read = |value: &Value| Form::read(|form| super::read(form, value));
        let good = json!({ "colors": ["5865F2"], "gradient_angle": 360, "base_mix": 100 });
        let mut shown = good.clone();
        shown["base_theme"] = json!(0);
        assert_eq!(read(&good).unwrap(), shown);
        for (key, value, path) in [
            ("colors", json!([]), vec!["colors"]),
            ("colors", json!(["5865FG"]), vec!["colors", "0"]),
            ("gradient_angle", json!(361), vec!["gradient_angle"]),
            ("base_mix", json!(null), vec!["base_mix"]),
            ("base_theme", json!(5), vec!["base_theme"]),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            assert_eq!(read(&bad).unwrap_err().errors().unwrap().at(&path).len(), 1, "{bad}");
        }
    }
}
