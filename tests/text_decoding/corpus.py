"""Words of many languages, and seeded tables of them, to be written in every encoding that the language has."""

from __future__ import annotations

import numpy as np

WORDS = {
    "Russian": (
        "Москва Казань Новосибирск Екатеринбург Самара Омск Челябинск Ростов Уфа Пермь город доход возраст пол "
        "мужской женский да нет образование высшее среднее Иванов Петрова Сидоров ответ клиент улица дом "
        "квартира зарплата больной здоровый высокий низкий машина яблоко собака кошка"
    ),
    "Ukrainian": (
        "Київ Львів Харків Одеса Дніпро Полтава Чернігів місто дохід вік стать чоловік жінка так ні освіта "
        "вища середня Шевченко Коваленко Бондаренко відповідь вулиця будинок зарплата хворий здоровий"
    ),
    "Bulgarian": (
        "София Пловдив Варна Бургас Русе Плевен град доход възраст пол мъж жена да не образование висше средно "
        "Иванов Георгиева Димитров отговор улица къща заплата болен здрав"
    ),
    "Greek": (
        "Αθήνα Θεσσαλονίκη Πάτρα Ηράκλειο Λάρισα Βόλος πόλη εισόδημα ηλικία φύλο άνδρας γυναίκα ναι όχι "
        "εκπαίδευση Παπαδόπουλος Γεωργίου απάντηση οδός σπίτι μισθός υγιής άρρωστος"
    ),
    "Mandarin": (
        "北京 上海 广州 深圳 成都 杭州 武汉 西安 重庆 南京 城市 收入 年龄 性别 男 女 是 否 学历 本科 硕士 博士 "
        "高中 结果 姓名 张伟 李娜 王芳 刘洋 已婚 未婚 职业 教师 医生 工程师 价格 面积 楼层 朝向"
    ),
    "Taiwanese": (
        "臺北 高雄 臺中 臺南 新竹 基隆 桃園 嘉義 花蓮 縣市 收入 年齡 性別 男 女 是 否 學歷 大學 碩士 博士 高中 "
        "結果 姓名 陳淑芬 林志明 黃美玲 張家豪 已婚 未婚 職業 教師 醫師 工程師 價格 面積 樓層"
    ),
    "Japanese": (
        "東京 大阪 京都 名古屋 札幌 福岡 神戸 仙台 広島 都市 収入 年齢 性別 男性 女性 はい いいえ 学歴 大学 "
        "大学院 高校 結果 氏名 佐藤 鈴木 高橋 田中 既婚 未婚 職業 教師 医者 エンジニア 価格 面積 ソフト 予約 "
        "表示 能力 マンション"
    ),
    "Korean": (
        "서울 부산 대구 인천 광주 대전 울산 수원 도시 소득 나이 성별 남성 여성 예 아니요 학력 대학교 대학원 "
        "고등학교 결과 이름 김민수 이영희 박지훈 최수진 기혼 미혼 직업 교사 의사 엔지니어 가격 면적"
    ),
    "Arabic": (
        "الرياض جدة مكة القاهرة الإسكندرية دبي بغداد المدينة الدخل العمر الجنس ذكر أنثى نعم لا التعليم جامعي "
        "ثانوي النتيجة الاسم محمد أحمد فاطمة عائشة متزوج أعزب الوظيفة معلم طبيب مهندس السعر"
    ),
    "Hebrew": (
        "ירושלים חיפה אשדוד נתניה רמת עיר הכנסה גיל מין זכר נקבה כן לא השכלה אקדמית תיכונית תוצאה שם כהן לוי "
        "מזרחי פרץ נשוי רווק מקצוע מורה רופא מהנדס מחיר"
    ),
    "Turkish": (
        "İstanbul Ankara İzmir Eskişehir Diyarbakır Şanlıurfa Muğla Çanakkale Aydın şehir yaş cinsiyet kadın "
        "erkek evet hayır eğitim lisans yüksek Yılmaz Şahin Öztürk Çelik sonuç müşteri ücret"
    ),
    "Polish": (
        "Kraków Łódź Wrocław Poznań Gdańsk Białystok Częstochowa Rzeszów miasto dochód wiek płeć mężczyzna "
        "kobieta tak nie wykształcenie wyższe średnie Wójcik Dąbrowski Zieliński Woźniak żółty odpowiedź"
    ),
    "Czech": (
        "Praha Brno Plzeň Děčín České Budějovice Hradec Králové město příjem věk pohlaví muž žena ano ne "
        "vzdělání vysoká škola střední Dvořák Černý Procházka Kučera žlutý odpověď"
    ),
    "Hungarian": (
        "Győr Pécs Székesfehérvár Kecskemét Hódmezővásárhely város jövedelem életkor férfi nő igen nem "
        "végzettség főiskola Szűcs Kovács Tóth Horváth Vörös válasz fizetés gyümölcs"
    ),
    "German": (
        "München Köln Düsseldorf Nürnberg Würzburg Göttingen Lübeck Stadt Größe Straße männlich weiblich ja "
        "nein höher Müller Schröder Jäger Krüger Weiß grün Käse Höhe Prüfung Übung Äpfel"
    ),
    "French": (
        "Orléans Besançon Nîmes Évreux Saint-Étienne Angoulême ville âge marié célibataire élevé prénom "
        "François Hélène Zoë Benoît Jérôme garçon père mère forêt été réponse étudiant Noël où"
    ),
    "Spanish": (
        "Málaga Córdoba León Cádiz Logroño Coruña Bogotá ciudad años niño sí no educación José María Muñoz "
        "Peña García Rodríguez Hernández Ángel pequeño corazón cigüeña número"
    ),
    "Portuguese": (
        "São Paulo Brasília Belém Goiânia Ribeirão Preto Florianópolis município idade não sim educação João "
        "Conceição Antônio Gonçalves coração maçã inglês avó três"
    ),
    "Swedish": (
        "Göteborg Malmö Jönköping Västerås Örebro Umeå Luleå stad ålder kön kvinna ja nej utbildning hög låg "
        "Sjögren Björk Åkesson Östberg grön smörgås kött"
    ),
    "Romanian": (
        "București Iași Timișoara Constanța Brașov Ploiești oraș vârstă bărbat femeie da nu educație înaltă "
        "Ștefan Ionuț Bălan răspuns preț mâine țară"
    ),
    "Croatian": (
        "Šibenik Čakovec Požega Varaždin Križevci grad dohodak muškarac žena da ne škola Horvat Kovačević "
        "Jurić Đurđević Perković odgovor žut plaća kuća"
    ),
    "Lithuanian": (
        "Šiauliai Panevėžys Klaipėda Mažeikiai miestas amžius lytis vyras moteris taip ne išsilavinimas "
        "aukštasis Žukauskas Šimkus Ąžuolas atsakymas žalias mėnuo ėjimas vyrų"
    ),
    "Thai": ("กรุงเทพ เชียงใหม่ ภูเก็ต ขอนแก่น เมือง รายได้ อายุ เพศ ชาย หญิง ใช่ ไม่ การศึกษา สมหญิง คำตอบ ราคา"),
}
ENCODINGS_OF = {
    "Russian": "cp1251 koi8-r cp866 iso-8859-5 mac-cyrillic",
    "Ukrainian": "cp1251 koi8-u",
    "Bulgarian": "cp1251",
    "Greek": "cp1253 iso-8859-7",
    "Mandarin": "gb18030",
    "Taiwanese": "big5",
    "Japanese": "cp932 euc-jp iso-2022-jp",
    "Korean": "cp949",
    "Arabic": "cp1256",
    "Hebrew": "cp1255",
    "Turkish": "cp1254 cp857",
    "Polish": "cp1250 iso-8859-2 cp852",
    "Czech": "cp1250 iso-8859-2",
    "Hungarian": "cp1250",
    "German": "cp1252 mac-roman cp850",
    "French": "cp1252 mac-roman cp850",
    "Spanish": "cp1252 mac-roman",
    "Portuguese": "cp1252",
    "Swedish": "cp1252",
    "Romanian": "cp1250",
    "Croatian": "cp1250",
    "Lithuanian": "cp1257",
    "Thai": "cp874",
}
CASES = [(language, encoding) for language, encodings in ENCODINGS_OF.items() for encoding in encodings.split()]


def write_table(language: str, seed: int = 0, rows: int = 60, words: int = 6) -> str:
    """Return a CSV table of two columns of words and one of numbers; only `words` different words occur."""
    rng = np.random.default_rng(seed)
    # Romanian is written with cedillas in encodings older than its own commas.
    vocabulary = WORDS[language].replace("ș", "ş").replace("ț", "ţ").replace("Ș", "Ş").replace("Ț", "Ţ").split()
    chosen = rng.choice(vocabulary, min(words, len(vocabulary)), replace=False)
    lines = [f"{chosen[0]},n,{chosen[1]}"]
    lines += [f"{rng.choice(chosen[2:])},{rng.integers(100)},{rng.choice(chosen[2:])}" for _ in range(rows)]
    return "\n".join(lines) + "\n"
