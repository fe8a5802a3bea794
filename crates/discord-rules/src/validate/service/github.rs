//! GitHub: one embed for each of the supported events.

use serde_json::{Value, json};

use super::super::form::{Form, Object};
use super::cut;
use crate::error::ApiResult;

const BLUE: u32 = 0x0072_89da;
const GREEN: u32 = 0x0000_9800;
const ORANGE: u32 = 0x00eb_6420;
const AMBER: u32 = 0x00e6_8d60;
const VIOLET: u32 = 0x00bf_dadc;
const RED: u32 = 0x00fc_2929;

/// What an event is about: title, address, text and colour of its embed.
struct Notice {
    title: String,
    url: Option<String>,
    text: Option<String>,
    color: Option<u32>,
}

/// Returns the body of the message for a body of GitHub, by the name of its event; `None` for an event, or an action of
/// one, that Discord does not show.
pub fn github(event: &str, body: &Value) -> ApiResult<Option<Value>> {
    Form::read_object(body, |form, object| {
        // Of a payload of GitHub only a small part is read.
        let keys: Vec<&str> = object.keys().map(String::as_str).collect();
        form.skip(object, &keys);
        let sender = form.required(object, "sender", sender)?;
        Some(notice(event, object, body).map(|notice| embed(notice, &sender)))
    })
}

/// Reads the account that caused the event, as the author of an embed.
fn sender(form: &mut Form, value: &Value) -> Option<Value> {
    let sender = value.as_object();
    let sender = match sender {
        Some(sender) => sender,
        None => form.object(value)?,
    };
    let text = |form: &mut Form, key: &str| form.required(sender, key, Form::any_text);
    let (name, url, icon) = (text(form, "login"), text(form, "html_url"), text(form, "avatar_url"));
    Some(json!({ "name": cut(&name?, 256), "url": url?, "icon_url": icon? }))
}

fn embed(notice: Notice, author: &Value) -> Value {
    let mut embed = json!({ "title": cut(&notice.title, 256), "author": author });
    if let Some(url) = notice.url {
        embed["url"] = url.into();
    }
    if let Some(text) = notice.text.filter(|text| !text.is_empty()) {
        embed["description"] = cut(&text, 500).into();
    }
    if let Some(color) = notice.color {
        embed["color"] = color.into();
    }
    json!({ "username": "GitHub", "embeds": [embed] })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Returns the first seven digits of a commit's id.
fn short(value: &Value) -> String {
    value.as_str().unwrap_or_default().chars().take(7).collect()
}

fn notice(event: &str, object: &Object, body: &Value) -> Option<Notice> {
    let repository = body["repository"]["full_name"].as_str().unwrap_or_default();
    let action = body["action"].as_str().unwrap_or_default();
    let about = |what: String, source: &Value, color: Option<u32>| Notice {
        title: format!("[{repository}] {what}"),
        url: text(&source["html_url"]),
        text: text(&source["body"]),
        color,
    };
    let plain = |what: String| Notice {
        title: format!("[{repository}] {what}"),
        url: text(&body["repository"]["html_url"]),
        text: None,
        color: None,
    };
    let numbered =
        |source: &Value| format!("#{}: {}", source["number"], source["title"].as_str().unwrap_or_default());
    let (issue, pull) = (&body["issue"], &body["pull_request"]);
    let (comment, reference) = (&body["comment"], body["ref"].as_str().unwrap_or_default());
    Some(match (event, action) {
        ("push", _) => push(repository, reference, body)?,
        ("create", _) => {
            let kind = body["ref_type"].as_str().unwrap_or_default();
            plain(format!("New {kind} created: {reference}"))
        }
        ("delete", _) => {
            let kind = if body["ref_type"] == "tag" { "Tag" } else { "Branch" };
            plain(format!("{kind} deleted: {reference}"))
        }
        ("fork", _) => {
            let fork = &body["forkee"];
            let name = fork["full_name"].as_str().unwrap_or_default();
            Notice { url: text(&fork["html_url"]), ..plain(format!("Fork created: {name}")) }
        }
        ("public", _) => plain("Now open sourced!".to_owned()),
        ("watch", "started") => plain("New star added".to_owned()),
        ("member", "added") => {
            let member = &body["member"];
            let name = member["login"].as_str().unwrap_or_default();
            Notice { url: text(&member["html_url"]), ..plain(format!("New collaborator added: {name}")) }
        }
        ("issues", "opened") => about(format!("Issue opened: {}", numbered(issue)), issue, Some(ORANGE)),
        ("issues", "closed" | "reopened") => {
            let closed = about(format!("Issue {action}: {}", numbered(issue)), issue, None);
            Notice { text: None, color: (action == "reopened").then_some(ORANGE), ..closed }
        }
        ("issue_comment", "created") => {
            let on = if object.contains_key("issue") && issue["pull_request"].is_object() {
                "pull request"
            } else {
                "issue"
            };
            about(format!("New comment on {on} {}", numbered(issue)), comment, Some(AMBER))
        }
        ("pull_request", "opened") => {
            about(format!("Pull request opened: {}", numbered(pull)), pull, Some(GREEN))
        }
        ("pull_request", "closed" | "reopened") => {
            let closed = about(format!("Pull request {action}: {}", numbered(pull)), pull, None);
            Notice { text: None, color: (action == "reopened").then_some(GREEN), ..closed }
        }
        ("pull_request_review", "submitted") => {
            about(format!("Pull request review submitted: {}", numbered(pull)), &body["review"], None)
        }
        ("pull_request_review_comment", "created") => {
            about(format!("New review comment on pull request {}", numbered(pull)), comment, Some(VIOLET))
        }
        ("commit_comment", "created") => {
            about(format!("New comment on commit `{}`", short(&comment["commit_id"])), comment, None)
        }
        ("release", "published") => {
            let tag = body["release"]["tag_name"].as_str().unwrap_or_default();
            Notice { text: None, ..about(format!("New release published: {tag}"), &body["release"], None) }
        }
        ("discussion", "created") => {
            let discussion = &body["discussion"];
            about(format!("New discussion {}", numbered(discussion)), discussion, Some(VIOLET))
        }
        ("discussion", "answered") => {
            let discussion = &body["discussion"];
            let answered = format!("Discussion marked as answered {}", numbered(discussion));
            Notice {
                url: text(&discussion["answer_html_url"]),
                ..about(answered, &body["answer"], Some(GREEN))
            }
        }
        ("discussion_comment", "created") => about(
            format!("New comment on discussion {}", numbered(&body["discussion"])),
            comment,
            Some(VIOLET),
        ),
        ("check_run", "completed") => {
            check(repository, &body["check_run"], &body["check_run"]["check_suite"])?
        }
        ("check_suite", "completed") => check(repository, &Value::Null, &body["check_suite"])?,
        _ => return None,
    })
}

/// Returns the notice of pushed commits: a line for each of the first ones.
fn push(repository: &str, reference: &str, body: &Value) -> Option<Notice> {
    let name = repository.rsplit('/').next().unwrap_or_default();
    let branch = reference.strip_prefix("refs/heads/")?;
    let head = &body["head_commit"];
    if body["forced"] == true {
        return Some(Notice {
            title: format!("[{name}] Branch {branch} was force-pushed to `{}`", short(&head["id"])),
            url: text(&body["compare"]),
            text: None,
            color: Some(RED),
        });
    }
    let commits = body["commits"].as_array().filter(|commits| !commits.is_empty())?;
    let line = |commit: &Value| {
        let message = commit["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
        let author =
            commit["author"]["username"].as_str().or(commit["author"]["name"].as_str()).unwrap_or_default();
        let url = commit["url"].as_str().unwrap_or_default();
        format!("[`{}`]({url}) {} - {author}", short(&commit["id"]), cut(message, 50))
    };
    let (count, plural) = (commits.len(), if commits.len() == 1 { "" } else { "s" });
    Some(Notice {
        title: format!("[{name}:{branch}] {count} new commit{plural}"),
        url: if count == 1 { text(&commits[0]["url"]) } else { text(&body["compare"]) },
        text: Some(commits.iter().take(5).map(line).collect::<Vec<_>>().join("\n")),
        color: Some(BLUE),
    })
}

/// Returns the notice of a finished check, or of all of a commit's checks.
fn check(repository: &str, run: &Value, suite: &Value) -> Option<Notice> {
    let name = repository.rsplit('/').next().unwrap_or_default();
    let conclusion = run["conclusion"].as_str().or(suite["conclusion"].as_str())?;
    let what = run["name"].as_str().or(suite["app"]["name"].as_str()).unwrap_or_default();
    let on = suite["head_branch"].as_str().map_or_else(|| short(&suite["head_sha"]), str::to_owned);
    let summary = [&run["output"]["title"], &run["output"]["summary"]];
    let summary: Vec<&str> = summary.into_iter().filter_map(Value::as_str).collect();
    Some(Notice {
        title: format!("[{name}] {what} {conclusion} on {on}"),
        url: text(&run["details_url"]).or_else(|| text(&run["html_url"])),
        text: Some(summary.join("\n")),
        color: Some(if conclusion == "success" { GREEN } else { RED }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(change: &Value) -> Value {
        let user = json!({ "id": 1, "login": "octo", "html_url": "https://g.example/octo", "avatar_url": "https://g.example/a.png" });
        let mut body = json!({ "sender": user,
            "repository": { "id": 1, "html_url": "https://g.example/o/r", "name": "r", "full_name": "o/r" } });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    #[test]
    fn every_supported_event_has_a_title() {
        let issue = json!({ "number": 7, "title": "T", "html_url": "https://g.example/7", "body": "B" });
        let on_pull = json!({ "number": 7, "title": "T", "pull_request": {} });
        let comment = json!({ "html_url": "https://g.example/c", "body": "C", "commit_id": "0123456789" });
        let commit = json!({ "id": "0123456789", "url": "https://g.example/k", "message": "M\nmore", "author": { "name": "N" } });
        let suite = json!({ "conclusion": "failure", "head_branch": "main", "head_sha": "0123456789", "app": { "name": "CI" } });
        for (event, change, title) in [
            ("push", json!({ "ref": "refs/heads/main", "commits": [commit] }), "[r:main] 1 new commit"),
            (
                "push",
                json!({ "ref": "refs/heads/main", "commits": [commit, commit] }),
                "[r:main] 2 new commits",
            ),
            (
                "push",
                json!({ "ref": "refs/heads/main", "forced": true, "head_commit": commit }),
                "[r] Branch main was force-pushed to `0123456`",
            ),
            ("create", json!({ "ref": "b", "ref_type": "branch" }), "[o/r] New branch created: b"),
            ("delete", json!({ "ref": "t", "ref_type": "tag" }), "[o/r] Tag deleted: t"),
            ("fork", json!({ "forkee": { "full_name": "p/r" } }), "[o/r] Fork created: p/r"),
            ("public", json!({}), "[o/r] Now open sourced!"),
            ("watch", json!({ "action": "started" }), "[o/r] New star added"),
            (
                "member",
                json!({ "action": "added", "member": { "login": "m" } }),
                "[o/r] New collaborator added: m",
            ),
            ("issues", json!({ "action": "opened", "issue": issue }), "[o/r] Issue opened: #7: T"),
            ("issues", json!({ "action": "closed", "issue": issue }), "[o/r] Issue closed: #7: T"),
            (
                "issue_comment",
                json!({ "action": "created", "issue": issue, "comment": comment }),
                "[o/r] New comment on issue #7: T",
            ),
            (
                "issue_comment",
                json!({ "action": "created", "issue": on_pull, "comment": comment }),
                "[o/r] New comment on pull request #7: T",
            ),
            (
                "pull_request",
                json!({ "action": "opened", "pull_request": issue }),
                "[o/r] Pull request opened: #7: T",
            ),
            (
                "pull_request_review",
                json!({ "action": "submitted", "pull_request": issue, "review": comment }),
                "[o/r] Pull request review submitted: #7: T",
            ),
            (
                "pull_request_review_comment",
                json!({ "action": "created", "pull_request": issue, "comment": comment }),
                "[o/r] New review comment on pull request #7: T",
            ),
            (
                "commit_comment",
                json!({ "action": "created", "comment": comment }),
                "[o/r] New comment on commit `0123456`",
            ),
            (
                "release",
                json!({ "action": "published", "release": { "tag_name": "v1" } }),
                "[o/r] New release published: v1",
            ),
            ("discussion", json!({ "action": "created", "discussion": issue }), "[o/r] New discussion #7: T"),
            (
                "discussion",
                json!({ "action": "answered", "discussion": issue, "answer": comment }),
                "[o/r] Discussion marked as answered #7: T",
            ),
            (
                "discussion_comment",
                json!({ "action": "created", "discussion": issue, "comment": comment }),
                "[o/r] New comment on discussion #7: T",
            ),
            (
                "check_run",
                json!({ "action": "completed", "check_run": { "name": "test", "conclusion": "success", "check_suite": suite } }),
                "[r] test success on main",
            ),
            ("check_suite", json!({ "action": "completed", "check_suite": suite }), "[r] CI failure on main"),
        ] {
            let message =
                github(event, &body(&change)).unwrap().unwrap_or_else(|| panic!("{event} {change}"));
            assert_eq!(message["embeds"][0]["title"], title);
            assert_eq!(message["embeds"][0]["author"]["name"], "octo");
        }
        for (event, change) in [
            ("ping", json!({})),
            ("watch", json!({ "action": "deleted" })),
            ("push", json!({ "ref": "refs/tags/v1" })),
        ] {
            assert_eq!(github(event, &body(&change)).unwrap(), None, "{event}");
        }
    }

    #[test]
    fn commits_are_listed_and_a_sender_is_needed() {
        let commit = json!({ "id": "0123456789", "url": "https://g.example/k", "message": "M\nmore", "author": { "name": "N", "username": "u" } });
        let message =
            github("push", &body(&json!({ "ref": "refs/heads/a/b", "commits": [commit] }))).unwrap().unwrap();
        assert_eq!(message["embeds"][0]["description"], "[`0123456`](https://g.example/k) M - u");
        let error = github("push", &json!({})).unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["sender"])[0].code, "BASE_TYPE_REQUIRED");
    }
}
