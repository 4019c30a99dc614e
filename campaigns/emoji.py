"""The emoji of the composer's picker, by category. Their names come from Unicode."""

import unicodedata

CATEGORIES = {
    "Smileys": "😀 😄 😁 😂 🤣 😊 🙂 😉 😍 😘 😎 🤩 🤔 🤗 🤫 🙄 😏 😅 😴 😢 😭 😡 😱 🥳 🥰 😇 🤓 😬 🤯 🫠",
    "People": "👋 👍 👎 👏 🙌 🙏 🤝 💪 👉 👈 👆 👇 ✌️ 🤞 👌 🤙 ✍️ 👀 🧠 🗣️ 👥 💁 🙋 🤷 🤦 💃 🕺 🫶",
    "Marks": "❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💯 🔥 ✨ ⭐ 🌟 💥 ⚡ ✅ ❌ ❗ ❓ ⚠️ 🔴 🟢 🔵 ➡️ ⬇️ 🔝 🆕 🆓 🔔 💬",
    "Work": "📣 📢 📌 📍 📅 ⏰ ⏳ 📈 📉 📊 💡 🛠️ ⚙️ 🔧 🔍 🔗 📎 ✏️ 📝 📚 💻 📱 📷 🎥 🎙️ 🎧 📧 🔒 🔑 🚀",
    "Fun": "🎉 🎊 🎁 🎈 🏆 🥇 🎯 🎮 🎨 🎬 🎵 🎶 ⚽ 🏀 🎾 🏃 🚴 🧗",
    "Food": "☕ 🍵 🍺 🍷 🥂 🍕 🍔 🥐 🍰 🍫 🍎 🍓 🥑 🌶️ 🍜 🍣",
    "Nature": "🌱 🌸 🌻 🌳 🍂 🌈 ☀️ 🌙 ☁️ 🌧️ ❄️ 🌊 🐶 🐱 🐝 🦋 🌍 🏔️",
    "Places": "🏠 🏢 🏭 🏪 ✈️ 🚆 🚗 🚲 🗺️ 🧭 🛒 💳 💰 💶 💵 🪙",
}


def _named(emoji: str) -> tuple[str, str]:
    return emoji, unicodedata.name(emoji[0]).lower()


EMOJI = [(category, [_named(emoji) for emoji in characters.split()]) for category, characters in CATEGORIES.items()]
