"""Errors that a person reads: each message says what is wrong, with what, and what to do."""


class OversmoothError(Exception):
    """Anything Oversmooth refuses or cannot do; the message is one or two sentences for the user."""


class SettingsError(OversmoothError):
    """A setting is unknown, out of range or contradicts another."""


class InputError(OversmoothError):
    """The text cannot be measured: empty, no content tokens, or not tokenisable."""


class ModelError(OversmoothError):
    """The model cannot be found, loaded or trusted to hold its own weights."""


class OutputError(OversmoothError):
    """A result cannot be written where the user asked for it."""


class CancelledError(OversmoothError):
    """The run was stopped because nobody waits for it any more."""


class WorkerLostError(OversmoothError):
    """The process that computed the run died or was killed."""


class DeadlineError(OversmoothError):
    """The run took longer than the engine allows."""


class MitigationError(OversmoothError):
    """A mitigation is unknown, wrongly set, contradicts another, or cannot be carried by the model."""


class ConfigurationError(OversmoothError):
    """The server's configuration is wrong; the message names the key."""


class LimitError(OversmoothError):
    """A request asks for more than this server grants; the message names the limit and what to do."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class QueueFullError(LimitError):
    """Too many wait already; the message says how many."""

    def __init__(self, message: str, limit: str = "waiting") -> None:
        super().__init__(message, limit)


class UndefinedError(ValueError):
    """The metric has no value for these states; the message is the reason, shown in the value's place."""
