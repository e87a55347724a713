"""Many logs, one terminal."""

import io

from deploy.local.log_view import LogView


def test_lines_carry_the_name_of_their_process(tmp_path):
    log, out = tmp_path / "log", io.StringIO()
    view = LogView(out)
    view.follow("metrics.relay", log)
    log.write_text("started\nhalf a li")
    view.show_new()
    log.write_text("started\nhalf a line\n")
    view.show_new()

    assert out.getvalue() == "metrics.relay      | started\nmetrics.relay      | half a line\n"


def test_what_was_written_before_is_not_shown(tmp_path):
    log, out = tmp_path / "log", io.StringIO()
    log.write_text("of another run\n")
    view = LogView(out)
    view.follow("kafka", log)
    view.show_new()

    assert not out.getvalue()


def test_a_paused_view_passes_over_lines(tmp_path):
    """While the tour has the terminal, logs go to their files only."""
    log, out = tmp_path / "log", io.StringIO()
    view = LogView(out)
    view.follow("kafka", log)
    view.paused = True
    log.write_text("during the tour\n")
    view.show_new()
    view.paused = False
    log.write_text("during the tour\nafterwards\n")
    view.show_new()

    assert out.getvalue() == "kafka              | afterwards\n"
