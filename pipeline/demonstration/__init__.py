"""Shows people what an attacker learns from a release: a made-up programme, attacked, told on one page."""
