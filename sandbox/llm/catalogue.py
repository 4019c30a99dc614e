"""The models that exist here, by provider: their windows, limits and prices."""

from dataclasses import dataclass

# Behaviours of the sandbox itself; every provider offers them.
OWN = {
    "sandbox-writer": 200_000,
    "sandbox-scripted": 200_000,
    "sandbox-obedient": 200_000,
    "sandbox-chaos": 200_000,
    # A window that is soon full.
    "sandbox-small": 4_096,
}
EMBEDDING_MODELS = ("sandbox-embed", "text-embedding-3-small", "text-embedding-3-large")
CREATED_AT = 1_790_000_000


@dataclass(frozen=True)
class Model:
    id: str
    owner: str
    context: int
    max_output: int = 128_000
    # USD per million tokens: input, output, cache read.
    prices: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def is_own(self) -> bool:
        return self.id in OWN

    @property
    def behaviour(self) -> str:
        return self.id if self.is_own and self.id != "sandbox-small" else "sandbox-writer"


_MILLION = 1_000_000
_ANTHROPIC = [
    Model("claude-haiku-5-5", "anthropic", _MILLION, 64_000, (0.10, 0.50, 0.01)),
    Model("claude-sonnet-5-5", "anthropic", _MILLION, 64_000, (2, 10, 0.10)),
    Model("claude-opus-5-5", "anthropic", _MILLION, 64_000, (4, 20, 0.20)),
    Model("claude-fable-5-2", "anthropic", _MILLION, 64_000, (8, 40, 0.20)),
    Model("claude-fable-5-1", "anthropic", _MILLION, 64_000, (10, 50, 0.25)),
    Model("claude-sonnet-5", "anthropic", _MILLION, 64_000, (2, 10, 0.20)),
    Model("claude-opus-5", "anthropic", _MILLION, 64_000, (5, 25, 0.50)),
    Model("claude-haiku-4-5", "anthropic", 200_000, 64_000, (1, 5, 0.10)),
]
_OPENAI = [
    Model("gpt-6-luna", "openai", 1_050_000, 128_000, (0.10, 0.50, 0.01)),
    Model("gpt-6.1-terra", "openai", 1_050_000, 128_000, (1, 5, 0.05)),
    Model("gpt-6-sol", "openai", 1_050_000, 128_000, (2, 10, 0.20)),
    Model("gpt-6.1-sol", "openai", 1_050_000, 128_000, (2, 10, 0.10)),
    Model("gpt-6-astra", "openai", 1_050_000, 128_000, (10, 50, 1)),
    Model("gpt-5.4-mini", "openai", 400_000, 128_000, (0.75, 4.5, 0.075)),
    Model("gpt-5.4-nano", "openai", 400_000, 128_000, (0.20, 1.25, 0.02)),
]
_GOOGLE = [
    Model("gemini-3.8-flash", "google", 1_048_576, 65_536, (0.75, 3.75, 0.075)),
    Model("gemini-3.5-flash", "google", 1_048_576, 65_536, (1.5, 9, 0.15)),
    Model("gemini-3.5-flash-lite", "google", 1_048_576, 65_536, (0.30, 2.5, 0.03)),
    Model("gemini-3.1-pro-preview", "google", 1_048_576, 65_536, (2, 12, 0.20)),
]


def models_of(provider: str) -> dict[str, Model]:
    return _MODELS[provider]


def find(provider: str, name: object) -> Model | None:
    return _MODELS[provider].get(name) if isinstance(name, str) else None


def _listed(models: list[Model]) -> dict[str, Model]:
    own = [Model(name, "sandbox", context, 16_384) for name, context in OWN.items()]
    return {model.id: model for model in [*models, *own]}


_MODELS = {
    "anthropic": _listed(_ANTHROPIC),
    "openai": _listed(_OPENAI),
    "gemini": _listed(_GOOGLE),
    "openrouter": _listed(
        [
            Model(f"{model.owner}/{model.id}", model.owner, model.context, model.max_output, model.prices)
            for model in [*_ANTHROPIC, *_OPENAI, *_GOOGLE]
        ]
    ),
}
