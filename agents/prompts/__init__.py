"""Assistants' prompts: immutable versions, labels that move, text with {{names}} in it."""

from agents.prompts.serving import Pinned, PromptNotFound, current_prompt
from agents.prompts.syntax import PromptError, render

__all__ = ["Pinned", "PromptError", "PromptNotFound", "current_prompt", "render"]
