"""What is made up about the sticker shop: categories with their names, brands, sizes, finishes and stock."""

from decimal import Decimal

# Slug in stickers.csv → name in English and Chinese, in the order of the shop.
CATEGORIES = {
    "animals": ("Animals and birds", "动物与鸟类"),
    "sea": ("Sea life", "海洋生物"),
    "garden": ("Garden and insects", "花园与昆虫"),
    "produce": ("Fruit and vegetables", "水果与蔬菜"),
    "meals": ("Meals and snacks", "餐点与小吃"),
    "treats": ("Sweets and drinks", "甜品与饮料"),
    "vehicles": ("Cars, boats and planes", "车船与飞机"),
    "outdoors": ("Places and weather", "风景与天气"),
    "play": ("Sport, games and parties", "运动、游戏与派对"),
    "sound": ("Music and electronics", "音乐与电器"),
    "clothing": ("Clothes and bags", "服饰与箱包"),
    "stationery": ("Books and stationery", "书籍与文具"),
    "home": ("Home and tools", "居家与工具"),
}
BRANDS = (
    "Paper Pelican",
    "Little Harbour",
    "Velvet Fern",
    "Sunday Kiosk",
    "Tin Lantern",
    "North Pier",
    "Marmalade & Moss",
)
# What a sticker of each size costs before the finish, in the shop's currency.
SIZES = {"S": Decimal("1.90"), "M": Decimal("2.90"), "L": Decimal("4.50")}
# Finish → name in Chinese and surcharge.
FINISHES = {
    "matte": ("哑光", Decimal("0.00")),
    "glossy": ("亮面", Decimal("0.40")),
    "holographic": ("镭射", Decimal("1.30")),
}
STOCK = {"in_stock": 82, "out_of_stock": 8, "preorder": 6, "backorder": 4}  # shares in a hundred
