"""Telling people: who is told of what, in which words, by which way, and again until it has arrived."""

from pipeline.notify.message import Message, compose, trial
from pipeline.notify.notifier import Notifier
from pipeline.notify.routing import address
from pipeline.notify.sending import Sender, open_sender

__all__ = ["Message", "Notifier", "Sender", "address", "compose", "open_sender", "trial"]
