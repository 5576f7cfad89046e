"""Chinese names, where a surname stands beside words that say it is one."""

import re
from collections.abc import Iterator

# The surnames of more than nine in ten people, simplified and traditional; those left out are everyday words
# (时, 车, 有, 能, 那) that would take others with them.
_SINGLE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤常温康施文牛樊葛邢安齐易乔伍庞颜"
    "倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲"
    "房滕屈饶解牟艾尤阳穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂佟应臧闵苟邬边卞姬师仇栾隋商刁沙"
    "荣巫寇桑郎甄丛仲虞敖巩明佘池麻苑迟邝封官谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻厉伊仝区郜海阚花权"
    "張劉陳楊黃趙吳孫馬許鄭謝韓馮鄧葉蘇盧蔣賈鍾鐘譚陸範韋鄒薑閻龍賀顧龔邵萬錢嚴湯溫齊喬龐顏莊聶魯嶽歐關蘭寧紀單塗穀盧羅蕭"
)
_DOUBLE = (
    "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|司徒|东方|東方|独孤|南宫"
    "|夏侯|皇甫|尉迟|令狐|长孫|长孙|慕容|宇文|端木|公孙|轩辕|钟离"
)
_SURNAME = rf"(?:{_DOUBLE}|[{_SINGLE}])"
# These do not stand in given names (the second list: not at their end); they begin the next word.
_NOT_GIVEN = "我你您他她它们的得了着过是在没不想要从给让找问请叫说吗呢吧啊呀哦嘛姓号单货钱很都也就个这那先女"
_NOT_LAST = _NOT_GIVEN + "有来去到把被又还再已或但与跟买卖退换收寄拿用会什么怎因为所如果今昨上下前后电手住能需打联地址"
_GIVEN = rf"(?![{_NOT_GIVEN}])[\u4e00-\u9fff](?:(?![{_NOT_LAST}])[\u4e00-\u9fff])?"
_NAME = rf"(?!谢谢|关系|关于|方式|方面|包括|包含|应该|单号|温馨){_SURNAME}{_GIVEN}"
# Mongolian, Uyghur, Tibetan and transcribed names.
_DOTTED = r"[\u4e00-\u9fff]{1,8}[·•][\u4e00-\u9fff]{1,8}"
_LATIN = r"[A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20}){0,2}"
_TITLE = "先生|女士|小姐(?!姐)|太太"

_CALLED = re.compile(
    rf"(?:(?:我|本人|名字|她|他)叫(?:做)?|叫我|(?:我|她|他|本人)的?(?:名字|姓名|全名)(?:是|叫|:)|本人(?=[{_SINGLE}]))"
    r"[ :]?"
    rf"({_DOTTED}|{_NAME}|{_LATIN}|[小阿][\u4e00-\u9fff](?=[,.!;，。！；\s]|\Z))"
)
_FIELDS = "姓名|收货人|收件人|寄件人|联系人|持卡人|开户人|户名|下单人|购买人|注册人"
_FIELD = re.compile(
    rf"(?:{_FIELDS}|名字)[ ]?[:：][ ]?({_DOTTED}|{_NAME}|{_LATIN}|[\u4e00-\u9fff]{{2,4}}(?=[ ,.;，。；\n]|\Z))"
)
_FIELD_SAID = re.compile(rf"(?:{_FIELDS})[是为叫 ]?({_DOTTED}|{_NAME}|{_LATIN})")
_SURNAMED = re.compile(rf"(?:免贵|我|本人|他|她)姓({_SURNAME})")
_TITLED = re.compile(rf"(?<!谢)({_NAME}|{_SURNAME}|{_LATIN})(?={_TITLE})")
# "我是" introduces a member, a Northerner, a programmer as well, so only a whole clause counts and not these.
_I_AM = re.compile(rf"(?:我是|这里是|这边是)({_NAME})(?=[,.!;，。！；、\s]|\Z)")
_NOT_PEOPLE = re.compile(
    r".*[人生员商民师者户客工迷粉控党主兵手东长级卡方家族]\Z|.*(?:会员|用户|顾客|城市|大学|公司|万分)|(?:黄金|江苏|江西|云南|安徽|海南"
    r"|海外|宁波|宁夏|温州|成都|常州|金华|武汉|沙|满意|方便|高兴|单身|关于|左右|全部|许多|连续|安卓|苹果|苏州|贵州|郑州|石家|包年|包月)"
)


def find_chinese_names(plain: str) -> Iterator[tuple[int, int]]:
    """Start and end of every name that is introduced, titled or a field of a form; they may overlap."""
    if plain.isascii():
        return
    for pattern in (_CALLED, _FIELD, _FIELD_SAID, _SURNAMED, _TITLED):
        for match in pattern.finditer(plain):
            yield match.span(1)
    for match in _I_AM.finditer(plain):
        if not _NOT_PEOPLE.match(match[1]):
            yield match.span(1)
