"""Turns files and web pages into sections of plain text, and those into chunks."""

from agents.memory.reading.chunks import Piece, cut
from agents.memory.reading.files import read_file, sniff
from agents.memory.reading.sections import Section, UnreadableFile

__all__ = ["Piece", "Section", "UnreadableFile", "cut", "read_file", "sniff"]
