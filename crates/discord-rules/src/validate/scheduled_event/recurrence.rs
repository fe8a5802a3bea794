//! How an event recurs (Guild Scheduled Event, "Recurrence Rule Object" and its "System limitations").

use serde_json::{Value, json};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use super::super::form::{Form, Object, format_moment};
use crate::error::FieldError;

const YEARLY: u8 = 0;
const MONTHLY: u8 = 1;
const WEEKLY: u8 = 2;
const DAILY: u8 = 3;

/// The sets of weekdays that a daily event may have.
const DAILY_SETS: &[&[u8]] =
    &[&[0, 1, 2, 3, 4], &[1, 2, 3, 4, 5], &[6, 0, 1, 2, 3], &[4, 5], &[5, 6], &[6, 0]];

/// Days that are looked at for the next occurrence: the 29th of February comes again after at most eight years.
const HORIZON_DAYS: u32 = 366 * 9;

/// When an event recurs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recurrence {
    /// First occurrence, and the time of day of all others.
    pub start: OffsetDateTime,
    /// 0 yearly, 1 monthly, 2 weekly, 3 daily.
    pub frequency: u8,
    /// Every how many weeks.
    pub interval: u8,
    /// Weekdays, 0 is Monday.
    pub by_weekday: Option<Vec<u8>>,
    /// Week of a month (5 is the last) and weekday.
    pub by_n_weekday: Option<(u8, u8)>,
    /// Month and day of a year.
    pub by_date: Option<(u8, u8)>,
}

impl Recurrence {
    /// Returns the recurrence rule object.
    pub fn json(&self) -> Value {
        json!({
            "start": format_moment(self.start),
            "end": null,
            "frequency": self.frequency,
            "interval": self.interval,
            "by_weekday": self.by_weekday,
            "by_n_weekday": self.by_n_weekday.map(|(n, day)| [json!({ "n": n, "day": day })]),
            "by_month": self.by_date.map(|(month, _)| [month]),
            "by_month_day": self.by_date.map(|(_, day)| [day]),
            "by_year_day": null,
            "count": null,
        })
    }

    /// Returns the first occurrence after a moment.
    pub fn next_after(&self, after: OffsetDateTime) -> Option<OffsetDateTime> {
        let start = self.start.to_offset(UtcOffset::UTC);
        let mut at = start.replace_date(after.to_offset(UtcOffset::UTC).date().max(start.date()));
        for _ in 0..HORIZON_DAYS {
            if at > after && self.falls_on(at.date()) {
                return Some(at);
            }
            at = at.checked_add(Duration::DAY)?;
        }
        None
    }

    /// Returns whether the event occurs at this moment.
    pub fn occurs_at(&self, at: OffsetDateTime) -> bool {
        let (start, at) = (self.start.to_offset(UtcOffset::UTC), at.to_offset(UtcOffset::UTC));
        at >= start && at.time() == start.time() && self.falls_on(at.date())
    }

    fn falls_on(&self, date: Date) -> bool {
        let first = self.start.to_offset(UtcOffset::UTC).date();
        let weekday = date.weekday().number_days_from_monday();
        let in_set = |default: bool| self.by_weekday.as_ref().map_or(default, |days| days.contains(&weekday));
        match self.frequency {
            DAILY => in_set(true),
            WEEKLY => {
                let monday =
                    |date: Date| date.to_julian_day() - i32::from(date.weekday().number_days_from_monday());
                let weeks = (monday(date) - monday(first)) / 7;
                weeks % i32::from(self.interval.max(1)) == 0 && in_set(date.weekday() == first.weekday())
            }
            MONTHLY => match self.by_n_weekday {
                Some((n, day)) => {
                    let is_last = date.day() + 7 > date.month().length(date.year());
                    weekday == day && ((date.day() - 1) / 7 + 1 == n || (n == 5 && is_last))
                }
                None => date.day() == first.day(),
            },
            _ => {
                let (month, day) = self.by_date.unwrap_or((first.month().into(), first.day()));
                u8::from(date.month()) == month && date.day() == day
            }
        }
    }
}

/// Reads a recurrence rule with Discord's limitations.
pub(super) fn read(form: &mut Form, value: &Value) -> Option<Recurrence> {
    let rule = form.object(value)?;
    let start = form.required(rule, "start", Form::moment);
    let frequency = form.required(rule, "frequency", |form, value| form.one_of(value, &[0, 1, 2, 3]));
    for key in ["end", "count", "by_year_day"] {
        if form.optional(rule, key, |_, _| Some(())).is_some() {
            form.complain_at(key, limitation("This field cannot be set."));
        }
    }
    let (start, frequency) = (start?, frequency?);
    let intervals: &[u8] = if frequency == WEEKLY { &[1, 2] } else { &[1] };
    let interval = form.optional(rule, "interval", |form, value| form.one_of(value, intervals));
    let by_weekday = form.optional(rule, "by_weekday", |form, value| weekdays(form, value, frequency));
    let by_n_weekday = form.optional(rule, "by_n_weekday", |form, value| n_weekday(form, value, frequency));
    let by_date = by_date(form, rule, frequency);
    let given = [by_weekday.is_some(), by_n_weekday.is_some(), by_date.is_some()];
    if given.into_iter().filter(|given| *given).count() > 1 {
        form.complain(limitation(
            "Only one of by_weekday, by_n_weekday, and by_month with by_month_day can be set.",
        ));
    }
    Some(Recurrence { start, frequency, interval: interval.unwrap_or(1), by_weekday, by_n_weekday, by_date })
}

fn limitation(message: &'static str) -> FieldError {
    FieldError::new("GUILD_SCHEDULED_EVENT_RECURRENCE_RULE_INVALID", message)
}

fn refuse<T>(form: &mut Form, message: &'static str) -> Option<T> {
    form.complain(limitation(message));
    None
}

fn weekdays(form: &mut Form, value: &Value, frequency: u8) -> Option<Vec<u8>> {
    const DAYS: &[u8] = &[0, 1, 2, 3, 4, 5, 6];
    let days = form.list(value, 1..=7, |form, value| form.one_of(value, DAYS))?;
    let same = |set: &[u8]| set.len() == days.len() && set.iter().all(|day| days.contains(day));
    match frequency {
        WEEKLY if days.len() == 1 => Some(days),
        WEEKLY => refuse(form, "A weekly event recurs on one weekday."),
        DAILY if DAILY_SETS.iter().any(|set| same(set)) => Some(days),
        DAILY => refuse(form, "A daily event recurs on a known set of weekdays."),
        _ => refuse(form, "Only daily and weekly events recur by weekday."),
    }
}

fn n_weekday(form: &mut Form, value: &Value, frequency: u8) -> Option<(u8, u8)> {
    let mut days = form.list(value, 1..=1, |form, value| {
        let day = form.object(value)?;
        let n = form.required(day, "n", |form, value| form.one_of(value, &[1, 2, 3, 4, 5]));
        let weekday = form.required(day, "day", |form, value| form.one_of(value, &[0, 1, 2, 3, 4, 5, 6]));
        Some((n?, weekday?))
    })?;
    if frequency != MONTHLY {
        return refuse(form, "Only monthly events recur by a weekday of a week.");
    }
    days.pop()
}

fn by_date(form: &mut Form, rule: &Object, frequency: u8) -> Option<(u8, u8)> {
    let one = |form: &mut Form, key, most: i64| {
        form.optional(rule, key, |form, value| {
            let list = form.list(value, 1..=1, |form, value| form.int(value, 1..=most))?;
            list.first().and_then(|number| u8::try_from(*number).ok())
        })
    };
    let (month, day) = (one(form, "by_month", 12), one(form, "by_month_day", 31));
    match (month, day) {
        (None, None) => None,
        (Some(month), Some(day)) if frequency == YEARLY => Some((month, day)),
        (Some(_), Some(_)) => {
            form.complain_at("by_month", limitation("Only yearly events recur by date."));
            None
        }
        (None, Some(_)) => {
            form.complain_at("by_month", FieldError::required());
            None
        }
        (Some(_), None) => {
            form.complain_at("by_month_day", FieldError::required());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiResult;
    use crate::validate::form::parse_moment;

    fn rule(extra: &Value) -> ApiResult<Recurrence> {
        // A Wednesday.
        let mut value = json!({ "start": "2030-01-02T10:00:00Z", "interval": 1 });
        for (key, field) in extra.as_object().unwrap() {
            value[key] = field.clone();
        }
        Form::read(|form| read(form, &value))
    }

    fn next(extra: &Value, after: &str) -> String {
        let at = rule(extra).unwrap().next_after(parse_moment(after).unwrap()).unwrap();
        assert!(rule(extra).unwrap().occurs_at(at));
        format_moment(at)[..10].to_owned()
    }

    #[test]
    fn the_examples_of_the_documentation_recur_as_they_say() {
        let weekdays = json!({ "frequency": 3, "by_weekday": [0, 1, 2, 3, 4] });
        assert_eq!(next(&weekdays, "2030-01-04T10:00:00Z"), "2030-01-07", "after a Friday comes Monday");
        assert_eq!(next(&weekdays, "2030-01-04T09:59:59Z"), "2030-01-04");
        let wednesdays = json!({ "frequency": 2, "by_weekday": [2] });
        assert_eq!(next(&wednesdays, "2030-01-02T10:00:00Z"), "2030-01-09");
        let every_other = json!({ "frequency": 2, "interval": 2, "by_weekday": [2] });
        assert_eq!(next(&every_other, "2030-01-02T10:00:00Z"), "2030-01-16");
        let fourth = json!({ "frequency": 1, "by_n_weekday": [{ "n": 4, "day": 2 }] });
        assert_eq!(next(&fourth, "2030-01-02T10:00:00Z"), "2030-01-23");
        let last = json!({ "frequency": 1, "by_n_weekday": [{ "n": 5, "day": 2 }] });
        assert_eq!(next(&last, "2030-02-01T10:00:00Z"), "2030-02-27", "the fourth is the last");
        let yearly = json!({ "frequency": 0, "by_month": [7], "by_month_day": [24] });
        assert_eq!(next(&yearly, "2030-07-24T10:00:00Z"), "2031-07-24");
        let leap = json!({ "frequency": 0, "by_month": [2], "by_month_day": [29] });
        assert_eq!(next(&leap, "2096-03-01T00:00:00Z"), "2104-02-29");
    }

    #[test]
    fn nothing_recurs_before_its_start_or_at_another_time_of_day() {
        let daily = rule(&json!({ "frequency": 3 })).unwrap();
        assert_eq!(daily.next_after(OffsetDateTime::UNIX_EPOCH), Some(daily.start));
        assert!(!daily.occurs_at(daily.start - Duration::DAY));
        assert!(!daily.occurs_at(daily.start + Duration::HOUR));
        assert!(daily.occurs_at(daily.start + Duration::DAY));
    }

    #[test]
    fn discords_limitations_are_enforced() {
        for good in [
            json!({ "frequency": 3, "by_weekday": [0, 6] }),
            json!({ "frequency": 2, "interval": 2, "by_weekday": [0] }),
            json!({ "frequency": 3, "end": null, "count": null, "by_month": null }),
        ] {
            assert!(rule(&good).is_ok(), "{good}");
        }
        for bad in [
            json!({ "frequency": 4 }),
            json!({ "frequency": 3, "by_weekday": [0, 2] }),
            json!({ "frequency": 2, "by_weekday": [0, 1] }),
            json!({ "frequency": 1, "by_weekday": [0] }),
            json!({ "frequency": 2, "interval": 3 }),
            json!({ "frequency": 3, "interval": 2 }),
            json!({ "frequency": 2, "by_n_weekday": [{ "n": 1, "day": 0 }] }),
            json!({ "frequency": 1, "by_n_weekday": [{ "n": 1, "day": 0 }, { "n": 2, "day": 0 }] }),
            json!({ "frequency": 1, "by_n_weekday": [{ "n": 6, "day": 0 }] }),
            json!({ "frequency": 0, "by_month": [7] }),
            json!({ "frequency": 0, "by_month_day": [7] }),
            json!({ "frequency": 1, "by_month": [7], "by_month_day": [24] }),
            json!({ "frequency": 0, "by_month": [13], "by_month_day": [24] }),
            json!({ "frequency": 3, "end": "2031-01-01T00:00:00Z" }),
            json!({ "frequency": 3, "count": 3 }),
            json!({ "frequency": 3, "by_year_day": [1] }),
        ] {
            assert!(rule(&bad).is_err(), "{bad}");
        }
    }
}
