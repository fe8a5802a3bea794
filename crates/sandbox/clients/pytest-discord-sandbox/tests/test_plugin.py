"""The plugin itself: what a failed test prints, and how tests stay apart."""

import os
import subprocess

import pytest
from pytest_discord_sandbox import Actor, BotDidNotAnswer, BotEnded, NotHeard, NotSeen, Refused, Sandbox
from pytest_discord_sandbox._process import program



def test_a_failed_test_prints_its_log_and_no_other(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nsandbox_scope = session")
    pytester.makepyfile(
        """
        def test_good(alice):
            alice.says("said in the good test")

        def test_bad(alice):
            alice.says("said in the bad test")
            assert alice.sees() == []
        """
    )
    result = pytester.runpytest("-p", "no:asyncio", "-p", "no:xdist")
    result.assert_outcomes(passed=1, failed=1)
    out = result.stdout.str()
    log = out[out.index("- discord sandbox -") :]
    assert "note: test test_bad" in log
    assert "test_good" not in log


def test_a_bot_gets_the_variables_that_the_program_prints(sandbox: Sandbox) -> None:
    secrets = {"SANDBOX_TOKEN": sandbox.token, "SANDBOX_CONTROL_SECRET": sandbox.env["SANDBOX_CONTROL_SECRET"]}
    command = [program(), "--url", sandbox.env["SANDBOX_URL"], "env"]
    printed = subprocess.run(command, env=os.environ | secrets, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert sandbox.env == dict(line.split("=", 1) for line in printed.splitlines())


def test_the_log_has_requests_events_and_answers(sandbox: Sandbox, pytester: pytest.Pytester) -> None:
    import http.client
    import json

    channel = sandbox.guild.channels["general"]
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))
    headers = {"Authorization": f"Bot {sandbox.token}", "Content-Type": "application/json"}
    path = f"/api/v10/channels/{channel}/messages"
    connection.request("POST", path, json.dumps({"content": "hello"}), headers)
    assert connection.getresponse().status == 200
    request = sandbox.wait_for("request")
    assert request["request"] == {"content": "hello"}
    text = sandbox.log_text()
    assert f"POST /channels/{channel}/messages 200" in text
    assert 'sent {"content":"hello"}' in text
    assert sandbox.token not in text
    # Time has moved on, and so has what is heard.
    assert sandbox.actor("bob").hears(at="general").content == "hello"


def test_without_the_program_one_sentence_says_what_to_do(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX_BIN", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    pytester.makepyfile("def test_any(sandbox): pass")
    result = pytester.runpytest("-p", "no:asyncio", "-p", "no:xdist")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no program `sandbox` in PATH; build it*SANDBOX_BIN*"])


def test_arguments_of_serve_can_be_wrong(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nsandbox_args = --no-such-thing")
    pytester.makepyfile("def test_any(sandbox): pass")
    result = pytester.runpytest("-p", "no:asyncio", "-p", "no:xdist")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the sandbox did not start: *--no-such-thing*"])


def test_workers_have_a_sandbox_each(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makeini("[pytest]\nsandbox_scope = session")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", range(8))
        def test_said(alice, worker_id, sandbox, n):
            alice.says(f"{worker_id} {n}")
            assert {m.content.split()[0] for m in alice.sees()} == {worker_id}
        """
    )
    result = pytester.runpytest_subprocess("-n", "2", "-p", "no:asyncio")
    result.assert_outcomes(passed=8)


def test_what_does_not_come_fails_with_a_sentence(sandbox: Sandbox, alice: Actor) -> None:
    alice.says("anyone?")
    with pytest.raises(NotHeard, match="alice heard no bot in bot-test within 0.1 s"):
        alice.hears(within=0.1)
    with pytest.raises(NotSeen, match="no resumed as wanted"):
        sandbox.wait_for("resumed", within=0.1)
    with pytest.raises(Refused, match="/nothing"):
        alice.runs("/nothing", within=0.1)
    with pytest.raises(LookupError, match="no user dave"):
        sandbox.actor("dave")


def test_a_bot_that_ends_fails_the_test_at_once_with_its_output(sandbox: Sandbox, alice: Actor) -> None:
    import sys

    crash = "import sys; print('my last words'); sys.exit(3)"
    with pytest.raises(BotEnded, match=r"exit code 3(.|\n)*my last words"):
        with sandbox.bot_process(sys.executable, "-c", crash):
            pass


def test_a_command_without_an_answer_is_an_error_of_the_test(sandbox: Sandbox, alice: Actor) -> None:
    import http.client
    import json

    application = sandbox.call("GET", "")["bots"][0]["id"]
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))
    headers = {"Authorization": f"Bot {sandbox.token}", "Content-Type": "application/json"}
    command = json.dumps([{"name": "deaf", "description": "d"}])
    connection.request("PUT", f"/api/v10/applications/{application}/commands", command, headers)
    assert connection.getresponse().status == 200
    with pytest.raises(BotDidNotAnswer, match="did not respond.*is it running"):
        alice.runs("/deaf")
    assert alice.runs("/deaf", allow_error=True).error == "The application did not respond"
