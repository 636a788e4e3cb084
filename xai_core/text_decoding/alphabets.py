"""Letters of languages in order of frequency, and the encodings in which each is written."""

from __future__ import annotations

from collections.abc import Mapping

# Letters beyond ASCII of languages in Latin script.
LATIN: Mapping[str, str] = {
    "German": "üäöß",
    "French": "éèàêçôîïâûùëœæ",
    "Spanish": "óíáéñúü",
    "Portuguese": "ãçáéíóêõâúàôü",
    "Italian": "àèùòìé",
    "Catalan": "óàíèéçúòïü·",
    "Nordic": "åäöøæéü",
    "Icelandic": "íáóðéöúþæý",
    "Dutch": "ëéïèöü",
    "Polish": "łóążęśćńź",
    "Czech": "íáěéřčžýšůúťóňď",
    "Slovak": "áíýčéžšúľťôňóäďŕĺ",
    "Hungarian": "áéöóőíüúű",
    "Croatian": "čšžćđ",
    "Romanian": "ăîâşţșț",
    "Turkish": "ıüşğöçİâî",
    "Lithuanian": "ėšųįžūąęč",
    "Latvian": "āīēūšņļžķčģ",
    "Estonian": "äõüöšž",
}
# Letters of languages in other alphabets; ASCII letters are foreign to them.
OTHER_ALPHABETS: Mapping[str, str] = {
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оаинвіетрслкудмпзяьбгйчхцюїжєшщфґ",
    "Bulgarian": "аиоетнрсвлпкдмзгубяъчцжщхшюйфь",
    "Serbian": "аиоенсрјтукдвмплзгбћчђжшњљцхфџ",
    "Greek": "ατοιεσνηρςπκυλμόωίάγδέθχφβήύώξζψϊϋ",
    "Hebrew": "יוהלארתבמשנדםפעקחכגטןסזצץךף",
    "Arabic": "ايلمونرتبةعدسفهكقأحجشطىصخإذثئضزءآظغؤپچژگکیـ",
    "Thai": "นรากเงอมยลวดทสต่้ปบคหแ์ัีิจพชไใขุูถำะโึผซศธษณญฐฟภื็ฉฎฏฝฤฆฒฑฮฬ๊๋",
}
# Signs of China, Taiwan, Japan and Korea that common words, names and tables are made of.
COMMON_SIGNS: Mapping[str, str] = {
    "Mandarin": (
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法"
        "学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将"
        "两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教原东声提立及比"
        "员解水名真论走义各入几口认条平系气题活尔别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至"
        "队形社便空决治展马科司五基书非则达光放强即像难且权思完设式色路记南品住告类求据程北边张该交规万取格望觉术领共确传师观清今切院让识候带"
        "导争运男收城省州京广深津浙江湖房价龄姓号码编型六七八九千百元岁职客户单订购销售额率店商汽车医病患症疗猫狗图片夫妻李王刘陈杨赵黄周吴徐"
        "孙胡朱林何郭罗红黄蓝绿白黑否租贷款婚未离型武汉成都重庆杭苏宁温湿冷热低春夏秋冬早晚星街镇县乡村"
    ),
    "Taiwanese": (
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法"
        "學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將"
        "兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教原東聲提立及比"
        "員解水名真論走義各入幾口認條平系氣題活爾別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至"
        "隊形社便空決治展馬科司五基書非則達光放強即像難且權思完設式色路記南品住告類求據程北邊張該交規萬取格望覺術領共確傳師觀清今切院讓識候帶"
        "導爭運男收城省州京廣臺灣台灣灣房價齡姓號碼編型六七八九千百元歲職客戶單訂購銷售額率店商汽車醫病患症療貓狗圖片夫妻李王劉陳楊趙黃周吳徐"
        "孫胡朱林何郭羅紅黃藍綠白黑否租貸款婚未離桃園嘉義屏宜花蓮雄隆竹苗彰投雲縣鄉鎮里路街段鄭謝許洪溫濕冷熱低春夏秋冬"
    ),
    "Japanese": (
        "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何"
        "南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元"
        "重近考画海売知道集別物使品計死特私始朝運終台広住無真有口少町料工建空急止送切転研足究楽起着店病質待試族銀早映親験英医仕去味写字答夜音"
        "注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋旅服夕借曜飲肉貸堂鳥飯勉冬昼茶弟牛魚兄犬妹姉漢都府県市区村名番号性齢値結果収額"
        "佐藤鈴木橋渡辺伊加吉松井林清斎阪神戸横浜福岡札幌仙形島奈良沖縄愛崎種類猫表予構能面暴添貼申欄価格数量率平均合率成績商会社部課"
    ),
    "Korean": (
        "이다는에의을가고하지로은기사를도어한아자시리나서인대그해수일있스정어들보상여부라안장전주구제만우조원동마게비성오공연미거진무관과신생내"
        "문선중경음등식유회년세되위용학모더방물니간소분현국바면때말업통으것발없양까두많계심입결재명적않단실호교차치영민김박최남녀강울산천광순서"
        "역월급료금액점률구매고객번성별나이직직급지역도시군읍값예아니오음네좋강아지고양이꽃름색빨파노검흰행복사진그림폴더새로"
    ),
}
# The national standard of each, and the first and last first byte of the signs that it counts as common.
STANDARDS: Mapping[str, tuple[str, int, int]] = {
    "Mandarin": ("gb2312", 0xB0, 0xD7),
    "Taiwanese": ("big5", 0xA4, 0xC6),
    "Japanese": ("euc-jp", 0xB0, 0xCF),
    "Korean": ("euc-kr", 0xB0, 0xC8),
}
# Python's name, the visitor's words, the languages written in it, and how much rarer it is than Windows-1252 (log e).
_WESTERN = "German French Spanish Portuguese Italian Catalan Nordic Icelandic Dutch"
_CENTRAL = "Polish Czech Slovak Hungarian Croatian Romanian German"
_SLAVIC = "Russian Bulgarian Ukrainian Serbian"
CANDIDATES: tuple[tuple[str, str, str, float], ...] = (
    ("windows-1252", "Western European (Windows)", _WESTERN, 0),
    ("windows-1250", "Central European (Windows)", _CENTRAL, 1),
    ("windows-1251", "Cyrillic (Windows)", _SLAVIC, 1),
    ("windows-1253", "Greek (Windows)", "Greek", 3),
    ("windows-1254", "Turkish (Windows)", "Turkish", 2.5),
    ("windows-1255", "Hebrew (Windows)", "Hebrew", 3),
    ("windows-1256", "Arabic (Windows)", "Arabic", 3),
    ("windows-1257", "Baltic (Windows)", "Lithuanian Latvian Estonian", 4),
    ("gb18030", "Chinese, simplified (GBK, GB18030)", "Mandarin", 1.5),
    ("big5", "Chinese, traditional (Big5)", "Taiwanese", 3),
    ("cp932", "Japanese (Shift-JIS, Windows)", "Japanese", 1.5),
    ("euc-jp", "Japanese (EUC)", "Japanese", 3),
    ("iso-2022-jp", "Japanese (JIS)", "", 0),
    ("cp949", "Korean (Windows)", "Korean", 2),
    ("koi8-r", "Cyrillic (KOI8-R)", "Russian Bulgarian", 4),
    ("koi8-u", "Cyrillic (KOI8-U)", "Ukrainian", 4),
    ("cp866", "Cyrillic (DOS)", "Russian Bulgarian Ukrainian", 3),
    ("iso-8859-5", "Cyrillic (ISO)", _SLAVIC, 5),
    ("mac-cyrillic", "Cyrillic (old Mac)", _SLAVIC, 6),
    ("iso-8859-2", "Central European (ISO)", _CENTRAL, 3),
    ("iso-8859-7", "Greek (ISO)", "Greek", 4),
    ("iso-8859-15", "Western European (ISO)", _WESTERN, 4),
    ("mac-roman", "Western European (old Mac)", _WESTERN, 4),
    ("mac-latin2", "Central European (old Mac)", _CENTRAL, 7),
    ("cp850", "Western European (DOS)", _WESTERN, 5),
    ("cp437", "Western European (DOS, United States)", _WESTERN, 6),
    ("cp852", "Central European (DOS)", _CENTRAL, 6),
    ("cp737", "Greek (DOS)", "Greek", 6),
    ("cp857", "Turkish (DOS)", "Turkish", 6),
    ("cp874", "Thai", "Thai", 3),
)
UNICODE: Mapping[str, str] = {"utf-8": "Unicode (UTF-8)", "utf-16": "Unicode (UTF-16)", "utf-32": "Unicode (UTF-32)"}
ENCODINGS: Mapping[str, str] = {**UNICODE, **{encoding: words for encoding, words, _, _ in CANDIDATES}}
"""Python's name of each encoding that text is read in, and words for it."""
