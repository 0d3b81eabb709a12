"""vLLM's asynchronous engine, started in an event loop of its own thread; its model runs in further processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egocross_eval.errors import RunError, UsageError
from egocross_eval.model_adapters.streams.loops import LoopThread
from egocross_eval.model_adapters.vllm.adapted_classes import adapted
from egocross_eval.model_adapters.vllm.extras import set_environment
from egocross_eval.model_adapters.vllm.media import processor_settings
from egocross_eval.model_adapters.vllm.served_lora import refuse_lora, unadapted
from egocross_eval.model_adapters.vllm.watchdogs.engine_watchdog import EngineWatchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from egocross_eval.model_adapters.checkpoints.lora import Lora


ENDED_BY_VIDEOS = frozenset({"LlavaOnevisionForConditionalGeneration"})
"""Classes whose first video is the engine's end (vLLM 0.32: "Expected multimodal embeddings to be a sequence of 2D
tensors")."""


class RefusedPromptError(Exception):
    """The engine takes no such prompt; says why."""


class FailedRequestError(Exception):
    """The engine failed at one request and goes on with others."""


class MissingFramesError(FailedRequestError):
    """The engine gave no answer; most likely it lacks frames that it was believed to have.

    A frame that was rendered once travels to the engine's process once. If the request that should have carried it
    never left, a later one with the same frame refers to what isn't there. Rendering again sends it.
    """


class Engine:
    """A running engine. Its coroutines run within `loop`."""

    def __init__(self, arguments: Mapping[str, Any], *, shows: str = "", lora: Lora | None = None) -> None:
        """Loads the model, which takes from half a minute to many.

        `shows`: what it's started to be shown, `image`, `video` or nothing; `lora`: the adapter that it's started for.
        Raises UsageError where the engine refuses the arguments, doesn't take what will be shown or would leave out a
        part of the adapter, and RunError where it doesn't come up.
        """
        set_environment()
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.model_executor.model_loader.utils import get_model_cls
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        try:
            config = AsyncEngineArgs(**arguments).create_engine_config(UsageContext.LLM_CLASS)
        except Exception as error:  # pydantic's, transformers' and vLLM's own, whichever part refuses
            raise UsageError(f"vllm: the engine refuses this model or these options: {_text(error)}") from error
        if shows:
            _check_media(config, shows)
        if lora is not None:
            refuse_lora(lora, unadapted(lora, adapted(get_model_cls(config.model_config))))
        self._watchdog = EngineWatchdog()
        self.loop = LoopThread("egocross-vllm")
        try:
            self._llm: Any = self.loop.run(
                lambda: AsyncLLM.from_vllm_config(config, disable_log_stats=True, enable_log_requests=False)
            )
        except Exception as error:
            self._end()
            raise RunError(
                f"vllm: the engine didn't start: {_text(error)} (its own messages stand above; VLLM_LOGGING_LEVEL=INFO "
                f"shows more of them). Where they speak of memory: gpu_memory_utilization=0.8 leaves more to a display "
                f"or another program, max_model_len=32768 needs less"
            ) from error
        except BaseException:
            self._end()
            raise
        self._watchdog.started()
        self._config: Any = config
        self._loras: dict[str, int] = {}

    @property
    def context(self) -> int:
        """Most tokens of a prompt with its answer."""
        return int(self._llm.model_config.max_model_len)

    @property
    def dtype(self) -> str:
        """Precision of the weights."""
        return str(self._llm.model_config.dtype).removeprefix("torch.")

    @property
    def processor_settings(self) -> dict[str, Any]:
        """What `mm_processor_kwargs` tells the processor's parts."""
        return processor_settings(self._llm.model_config.multimodal_config.mm_processor_kwargs or {})

    @property
    def keeps_bytes(self) -> bool:
        """Whether frames' patches stay bytes until they are on the GPU, as a model's class has it: Qwen3-VL's does in
        vLLM 0.32, and doesn't in 0.30."""
        return bool(getattr(self._llm.model_config.multimodal_config, "mm_device_do_normalize", False))

    @property
    def most_running(self) -> int:
        """Most requests that are computed at once, over all data-parallel ranks."""
        return int(self._config.scheduler_config.max_num_seqs) * self.ranks

    @property
    def ranks(self) -> int:
        """Data-parallel replicas that take requests of this process."""
        parallel = self._config.parallel_config
        local = parallel.local_engines_only
        return int(parallel.data_parallel_size_local if local else parallel.data_parallel_size)

    def details(self) -> dict[str, Any]:
        """What the engine settled on."""
        parallel = self._config.parallel_config
        return {
            "dtype": self.dtype,
            "device": str(self._config.device_config.device_type),
            "max_model_len": self.context,
            "max_num_batched_tokens": int(self._config.scheduler_config.max_num_batched_tokens),
            "max_num_seqs": int(self._config.scheduler_config.max_num_seqs),
            "tensor_parallel_size": int(parallel.tensor_parallel_size),
            "data_parallel_size": int(parallel.data_parallel_size),
            "prefix_caching": bool(self._config.cache_config.enable_prefix_caching),
        }

    async def render(self, prompt: dict[str, Any], *, add_special_tokens: bool) -> Any:
        """The prompt as token ids with its frames processed, in the engine's own threads.

        Raises RefusedPromptError where that can't be done.
        """
        from vllm.renderers.inputs.preprocess import parse_model_prompt

        renderer = self._llm.renderer
        settings = renderer.default_cmpl_tok_params.with_kwargs(add_special_tokens=add_special_tokens)
        try:
            parsed = parse_model_prompt(self._llm.model_config, prompt)
            (rendered,) = await renderer.render_cmpl_async([parsed], settings)
        except Exception as error:  # the checkpoint's processor raises anything for a prompt that it can't take
            raise RefusedPromptError(_text(error)) from error
        return rendered

    async def generate(
        self, rendered: Any, sampling: Any, name: str, lora: Lora | None, at_first_token: Callable[[], None], rank: int
    ) -> Any:
        """The finished output (`vllm.RequestOutput`) for a rendered prompt, computed by one of the `ranks`.

        `at_first_token` is called with each output: from the first token on where `sampling` has them streamed.
        Raises MissingFramesError, RefusedPromptError, FailedRequestError, and RunError where the engine is gone.
        """
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError

        finished = None
        try:
            asked = self._llm.generate(
                rendered,
                sampling,
                name,
                lora_request=self._lora(lora),
                data_parallel_rank=rank if self.ranks > 1 else None,
            )
            async for output in asked:
                at_first_token()
                finished = output
        except EngineDeadError as error:
            raise RunError("vllm: the engine died; its own messages stand above") from error
        except VLLMClientError as error:
            raise RefusedPromptError(_text(error)) from error
        except Exception as error:
            cause = error.__cause__ or error
            raise FailedRequestError(_text(cause)) from error
        if finished is None or not finished.outputs[0].token_ids:
            raise MissingFramesError(f"the engine ended the request without an answer ({_ending(finished)})")
        return finished

    def _lora(self, lora: Lora | None) -> Any:
        if lora is None:
            return None
        from vllm.lora.request import LoRARequest

        number = self._loras.setdefault(str(lora.folder), len(self._loras) + 1)
        return LoRARequest(lora.name, number, str(lora.folder))

    def close(self) -> None:
        """Ends the engine's processes and the loop's thread."""
        try:
            self.loop.run(self._llm.shutdown)
        finally:
            self._end()

    def _end(self) -> None:
        self.loop.close()
        self._watchdog.close()


def _check_media(config: Any, shows: str) -> None:
    """Raises UsageError where the model's class in vLLM takes no pictures, or no videos."""
    from vllm.model_executor.model_loader.utils import get_model_cls
    from vllm.multimodal import MULTIMODAL_REGISTRY

    name = get_model_cls(config.model_config).__name__
    taken = MULTIMODAL_REGISTRY.get_processing_info(config.model_config).supported_mm_limits
    if shows not in taken:
        others = ", ".join(f"{one}s" for one in taken)
        raise UsageError(f"vllm: {name} takes no {shows}s in this vLLM, only {others}; use --media, or hf:")
    if shows == "video" and name in ENDED_BY_VIDEOS:
        raise UsageError(f"vllm: a video ends vLLM's engine with {name}; use --media images, or hf:")


def _ending(output: Any) -> str:
    return f"finish reason {output.outputs[0].finish_reason}" if output is not None else "no output"


def _text(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:800]}" if text else type(error).__name__
