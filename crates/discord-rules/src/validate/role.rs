//! Roles: bodies of their creation, modification and reordering.

use serde_json::Value;

use super::form::{Change, Form, Object};
use crate::error::{ApiResult, FieldError};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

/// Fields of a role, in a creation or a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleBody {
    /// Name; "new role" if absent.
    pub name: Change<String>,
    /// Permissions; those of @everyone if absent.
    pub permissions: Change<Permissions>,
    /// Colour, from `color` or the first of `colors`.
    pub color: Change<u32>,
    /// Second colour of a gradient.
    pub secondary_color: Change<u32>,
    /// Third colour, of a holographic role.
    pub tertiary_color: Change<u32>,
    /// Whether its members are listed separately.
    pub hoist: Change<bool>,
    /// Whether anyone may mention it.
    pub mentionable: Change<bool>,
    /// Icon, as a `data:` URI.
    pub icon: Change<String>,
    /// Emoji beside the names of its members.
    pub unicode_emoji: Change<String>,
}

/// Colours of a role that has three (Permissions, "Role Colors Object").
const HOLOGRAPHIC: [u32; 3] = [11_127_295, 16_759_788, 16_761_760];

/// Reads the body of a creation or modification.
pub fn read(body: &Value) -> ApiResult<RoleBody> {
    Form::read_object(body, |form, body| {
        let color = |form: &mut Form, value: &Value| form.uint(value, 0xff_ff_ff);
        let colors = form.optional(body, "colors", |form, value| {
            let colors = form.object(value)?;
            Some((
                form.required(colors, "primary_color", color),
                form.field(colors, "secondary_color", color),
                form.field(colors, "tertiary_color", color),
            ))
        });
        if let Some((primary, second, Change::Set(third))) = &colors {
            let holographic = *primary == Some(HOLOGRAPHIC[0])
                && second.as_ref() == Some(&HOLOGRAPHIC[1])
                && *third == HOLOGRAPHIC[2];
            if !holographic {
                let sentence = "A role with three colors must have those of the holographic style.";
                let error = FieldError::new("ROLE_COLORS_NOT_HOLOGRAPHIC", sentence);
                form.complain_below(["colors".into(), "tertiary_color".into()], error);
            }
        }
        let plain = form.field(body, "color", color);
        let (color, secondary_color, tertiary_color) = match colors {
            Some((primary, second, third)) => (primary.map_or(plain, Change::Set), second, third),
            None => (plain, Change::Keep, Change::Keep),
        };
        Some(RoleBody {
            name: form.field(body, "name", |form, value| form.trimmed(value, 1..=100)),
            permissions: form.field(body, "permissions", Form::permissions),
            color,
            secondary_color,
            tertiary_color,
            hoist: form.field(body, "hoist", Form::boolean),
            mentionable: form.field(body, "mentionable", Form::boolean),
            icon: form.field(body, "icon", Form::any_text),
            unicode_emoji: form.field(body, "unicode_emoji", |form, value| form.text(value, 0..=100)),
        })
    })
}

/// Reads the body of a reordering of roles and returns ids with their new positions.
pub fn positions(body: &Value) -> ApiResult<Vec<(Snowflake, Option<u32>)>> {
    placed(body, |_, _, id, position| Some((id?, position)))
}

/// Reads the body of a reordering: an id and a new position from each item, and the rest of it by `read`.
pub(super) fn placed<T>(
    body: &Value,
    read: impl Fn(&mut Form, &Object, Option<Snowflake>, Option<u32>) -> Option<T>,
) -> ApiResult<Vec<T>> {
    Form::read_body(body, |form| {
        form.list(body, 0..=1000, |form, item| {
            let item = form.object(item)?;
            let id = form.required(item, "id", Form::snowflake);
            let position =
                form.optional(item, "position", |form, value| form.uint(value, i32::MAX.unsigned_abs()));
            read(form, item, id, position)
        })
    })
}

/// Checks that a member's list of roles does not hold @everyone, which is never given.
pub fn refuse_everyone(roles: &[Snowflake], guild_id: Snowflake) -> ApiResult<()> {
    let Some(index) = roles.iter().position(|role| *role == guild_id) else { return Ok(()) };
    Form::read(|form| {
        form.complain_below(["roles".into(), index.into()], FieldError::new("ROLE_INVALID", "Invalid Role"));
        None
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_hold_at_their_edges() {
        for good in [
            json!({}),
            json!({ "name": "n".repeat(100), "color": 0xff_ff_ff, "permissions": "8", "hoist": true }),
            json!({ "name": null, "permissions": 8 }),
            json!({ "colors": { "primary_color": 1, "secondary_color": null } }),
            json!({ "colors": { "primary_color": 11_127_295, "secondary_color": 16_759_788, "tertiary_color": 16_761_760 } }),
        ] {
            assert!(read(&good).is_ok(), "{good}");
        }
        for bad in [
            json!({ "name": "" }),
            json!({ "name": "n".repeat(101) }),
            json!({ "color": 0x100_0000 }),
            json!({ "permissions": "all" }),
            json!({ "hoist": "yes" }),
            json!({ "colors": {} }),
            json!({ "colors": { "primary_color": 1, "secondary_color": 2, "tertiary_color": 3 } }),
        ] {
            assert_eq!(read(&bad).unwrap_err().code(), 50035, "{bad}");
        }
    }

    #[test]
    fn the_first_of_several_colours_is_the_roles_colour() {
        let body =
            read(&json!({ "colors": { "primary_color": 7, "secondary_color": 8 }, "color": 1 })).unwrap();
        assert_eq!((body.color, body.secondary_color), (Change::Set(7), Change::Set(8)));
    }

    #[test]
    fn a_reordering_names_roles_and_places() {
        let body = json!([{ "id": "1", "position": 3 }, { "id": "2", "position": null }]);
        assert_eq!(positions(&body).unwrap(), [(Snowflake(1), Some(3)), (Snowflake(2), None)]);
        assert!(positions(&json!([{ "position": 3 }])).is_err());
        assert!(positions(&json!({})).is_err());
    }

    #[test]
    fn nobody_is_given_everyone() {
        assert!(refuse_everyone(&[Snowflake(2)], Snowflake(1)).is_ok());
        let error = refuse_everyone(&[Snowflake(2), Snowflake(1)], Snowflake(1)).unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["roles", "1"]).len(), 1);
    }
}
