"""A model class of lmms-eval's in this process, asked by our requests. Imports lmms-eval when it's made."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from egocross_eval.errors import RunError, UsageError, did_you_mean
from egocross_eval.interop.lmms_eval.clients import check_settings, client
from egocross_eval.interop.lmms_eval.conversation import conversation, picture, within_budget, words
from egocross_eval.interop.lmms_eval.failures import failed_response, missed_module, response_of
from egocross_eval.interop.lmms_eval.known_models import check_model, last_said, lmms_models
from egocross_eval.interop.lmms_eval.looked_for import looked_for
from egocross_eval.interop.lmms_eval.task_folder import generation_kwargs
from egocross_eval.schema import Request, Response

_TASK, _SPLIT = "egocross", "test"
_FORMAT = "LMMS_IMAGE_ENCODE_FORMAT"


class ModelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which class is made, and how."""

    name: str
    arguments: dict[str, str] = {}
    batch_size: int = 1
    device: str = ""


class Session:
    """One model of lmms-eval's, loaded."""

    def __init__(self, order: ModelOrder) -> None:
        """Loads it. Raises `UsageError` for a name that lmms-eval doesn't have or arguments that the class refuses."""
        os.environ.setdefault(_FORMAT, "JPEG")
        os.environ.setdefault("TQDM_DISABLE", "1")
        self._order = order
        self._client = client(order.name)
        with looked_for() as self._missed:
            kind = _model_class(order.name, self._missed)
        device = order.device or _default_device()
        arguments = dict(order.arguments)
        if device == "cpu" and "device_map" in inspect.signature(kind.__init__).parameters:
            arguments.setdefault("device_map", "cpu")
        more = {"batch_size": order.batch_size, "device": device}
        self._model = _made(order.name, kind, arguments, more, missed=self._missed)
        hands_on = self._client is None or "system_prompt" not in self._client.left_out
        self._own_system: str | None = getattr(self._model, "system_prompt", None) if hands_on else None

    def details(self) -> dict[str, Any]:
        """What is worth keeping of it: the class, and the system text that it adds where a prompt has none."""
        kind = type(self._model)
        found: dict[str, Any] = {"class": f"{kind.__module__}.{kind.__qualname__}"}
        if self._own_system:
            found["added_system_text"] = self._own_system
        if self._client is not None:
            found["frames_encoded_as"] = self._client.frames or os.environ[_FORMAT] + _quality()
            found |= {"settings_left_out": list(self._client.left_out)} if self._client.left_out else {}
        return found

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """A response for each request. Where a chunk fails as a whole, its questions are asked one by one.

        Raises `UsageError` for texts between frames where the class takes pictures before one text only, for settings
        that a client of a server leaves out, and where a package is missed only now.
        """
        for request in requests:
            check_settings(self._order.name, request.settings)
        if self._model.is_simple:
            _refuse_interleaved(self._order.name, requests)
        responses: list[Response] = []
        for group in _by_system(requests):
            responses += self._answer_alike(group)
        return responses

    def close(self) -> None:
        """Frees the model."""
        self._model.clean()

    def _answer_alike(self, requests: Sequence[Request]) -> list[Response]:
        try:
            outputs = self._outputs(requests)
            return [self._response(request, output) for request, output in zip(requests, outputs, strict=True)]
        except UsageError:
            raise
        except (ImportError, NameError) as error:
            if not isinstance(error, UnboundLocalError):  # how some classes end where a server gives no answer
                raise _lacks_package(self._order.name, error, self._missed) from error
            return self._one_by_one(requests, error)
        except Exception as error:  # whatever an engine raises, or another number of outputs than of requests
            return self._one_by_one(requests, error)

    def _one_by_one(self, requests: Sequence[Request], error: Exception) -> list[Response]:
        """The responses to a chunk that failed; where it was of one request, the failure."""
        if len(requests) == 1:
            return [self._failed(requests[0], error)]
        return [response for request in requests for response in self._answer_alike([request])]

    def _failed(self, request: Request, error: Exception) -> Response:
        """The failure that an error is; what lmms-eval said before says more than it where it asks a server."""
        said = last_said() if self._client is not None else ""
        return failed_response(request.key, error, said)

    def _outputs(self, requests: Sequence[Request]) -> Sequence[Any]:
        """What the class makes of requests with the same system text.

        A prompt's own system text takes the place of one that the class would add.
        """
        system = _system_text(requests[0])
        takes_place = self._own_system is not None and bool(system)
        if self._own_system is not None:
            self._model.system_prompt = system or self._own_system
        documents = [_messages(request, without_system=takes_place) for request in requests]
        self._model.task_dict = {_TASK: {_SPLIT: documents}}
        outputs: Sequence[Any] = self._model.generate_until(
            [self._instance(number, request, documents[number]) for number, request in enumerate(requests)]
        )
        return outputs

    def _instance(self, number: int, request: Request, messages: list[dict[str, Any]]) -> Any:
        from lmms_eval.api.instance import Instance

        text, kwargs = words(messages), generation_kwargs(request.settings)
        if self._model.is_simple:
            arguments: tuple[Any, ...] = (text, kwargs, _visual, number, _TASK, _SPLIT)
        else:
            arguments = (text, _same, kwargs, number, _TASK, _SPLIT)
        metadata = {"task": _TASK, "doc_id": number, "repeats": 1}
        return Instance(request_type="generate_until", arguments=arguments, idx=0, metadata=metadata)

    def _response(self, request: Request, output: Any) -> Response:
        from lmms_eval.api.instance import unwrap_generation_output

        text, counts = unwrap_generation_output(output)
        if text is not None and not isinstance(text, str):
            return self._failed(request, TypeError(f"lmms-eval's class gave a {type(text).__name__}, not a text"))
        said = last_said() if self._client is not None and self._client.one_by_one else ""
        # A reply without text reaches its clients' callers as None.
        response = response_of(request.key, text or "", api=self._client is not None, said=said)
        if response.failure is not None and (missed := missed_module(response.failure)):
            raise _lacks_package(self._order.name, ImportError(f"No module named {missed!r}"), self._missed)
        if counts is None or response.failure is not None:
            return response
        return msgspec.structs.replace(response, input_tokens=counts.input_tokens, output_tokens=counts.output_tokens)


def _model_class(name: str, missed: Mapping[str, None]) -> Any:
    check_model(name)
    try:
        return lmms_models().get_model(name)
    except ImportError as error:
        raise _lacks_package(name, error, missed) from error
    except Exception as error:  # whatever a module does when it's imported
        raise RunError(f"lmms:{name} can't be imported: {type(error).__name__}: {error}{_in_vain(missed)}") from error


def _made(name: str, kind: Any, arguments: dict[str, str], more: dict[str, Any], *, missed: Mapping[str, None]) -> Any:
    """An instance of a class. Arguments that it doesn't know are a `UsageError`."""
    from lmms_eval.utils import handle_arg_string

    if client(name) is not None:
        _refuse_unknown(name, kind, arguments)
    try:
        return kind(**{key: handle_arg_string(value) for key, value in arguments.items()}, **more)
    except (ImportError, NameError) as error:
        raise _lacks_package(name, error, missed) from error
    except (TypeError, AssertionError) as error:  # how its classes refuse arguments
        raise UsageError(f"lmms:{name} refuses its arguments: {error}{_in_vain(missed)}") from error
    except Exception as error:  # whatever keeps a class from being made: no key, no checkpoint, no memory
        raise RunError(f"lmms:{name} can't be made: {type(error).__name__}: {error}{_in_vain(missed)}") from error


def _lacks_package(name: str, error: Exception, missed: Mapping[str, None]) -> UsageError:
    return UsageError(f"lmms:{name} needs a package that isn't in lmms-eval's environment: {error}{_in_vain(missed)}")


def _in_vain(missed: Mapping[str, None]) -> str:
    """What a class looked for when it was imported: those that it needs may be among them."""
    return f" (it looked in vain for {', '.join(missed)})" if missed else ""


def _refuse_unknown(name: str, kind: Any, arguments: dict[str, str]) -> None:
    """Clients of servers go on with arguments they don't know, and leave them out."""
    asked = client(name)
    unused = asked.left_out if asked is not None else ()
    known = {key for each in kind.__mro__ for key in inspect.signature(each.__init__).parameters}.difference(unused)
    for key in arguments:
        if key not in known:
            what = "doesn't hand on" if key in unused else "knows no argument"
            its = ", ".join(sorted(known - {"self", "args", "kwargs", "batch_size", "device"}))
            raise UsageError(f"lmms:{name} {what} {key!r}{did_you_mean(key, known)}; known: {its}")


def _quality() -> str:
    """The quality at which lmms-eval encodes frames again, where the format has one."""
    known = os.environ[_FORMAT].upper() in ("JPEG", "JPG", "WEBP")
    return f", quality {os.environ.get('LMMS_IMAGE_JPEG_QUALITY', '85')}" if known else ""


def _default_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _same(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`doc_to_messages` of documents that are conversations; a copy, since classes insert into what they get."""
    return [dict(message) for message in messages]


def _visual(messages: list[dict[str, Any]]) -> list[Any]:
    """`doc_to_visual` of documents that are conversations."""
    parts = [part for message in messages for part in message["content"] if part["type"] == "image"]
    return [picture(part["url"], 0) if isinstance(part["url"], str) else part["url"] for part in parts]


def _messages(request: Request, *, without_system: bool) -> list[dict[str, Any]]:
    messages = within_budget(conversation(request.prompt), request.prompt.max_pixels or 0)
    return [message for message in messages if not (without_system and message["role"] == "system")]


def _system_text(request: Request) -> str:
    messages = conversation(request.prompt)
    return words([message for message in messages if message["role"] == "system"])


def _by_system(requests: Sequence[Request]) -> list[list[Request]]:
    groups: dict[str, list[Request]] = {}
    for request in requests:
        groups.setdefault(_system_text(request), []).append(request)
    return list(groups.values())


def _refuse_interleaved(name: str, requests: Sequence[Request]) -> None:
    for request in requests:
        parts = [part for message in conversation(request.prompt) for part in message["content"]]
        shown = "".join(part["type"][0] for part in parts if part["type"] == "image" or part["text"].strip())
        if "t" in shown.strip("t"):
            raise UsageError(
                f"lmms:{name} takes all frames before one text, and {request.key} has text between them; "
                f"ask without --timestamps and shots, or take a class that reads conversations"
            )
