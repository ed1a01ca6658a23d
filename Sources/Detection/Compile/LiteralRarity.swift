/// How seldom a literal is seen in ordinary logs: which of a rule's necessary literals is worth looking for, and by which
/// of its bytes.
///
/// An estimate only: it decides how fast a rule is rejected, never whether it matches.
enum LiteralRarity {
    /// What ordinary events are full of, in lower case: requests of browsers, and processes, paths and keys of Windows and
    /// Linux machines at work. Written for this purpose; the order of the pieces means nothing.
    private static let ordinaryText = Array(
        #"""
        get post head options put http/1.1" 200 304 301 302 401 403 404 500 https://www.example.com/ http://www.google.com/bot.html
        mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/126.0.0.0 safari/537.36 edg/126.0
        mozilla/5.0 (x11; linux x86_64; rv:128.0) gecko/20100101 firefox/128.0 (macintosh; intel mac os x 10_15_7) version/17.5
        (iphone; cpu iphone os 17_5 like mac os x) mobile/15e148 (linux; android 14; pixel 8) (compatible; bingbot/2.0; +http://
        /index.html /index.php /css/site.css /js/app.min.js /img/logo.svg /images/hero.jpg /fonts/inter.woff2 /favicon.ico /api/v1/
        /static/ /assets/ /login /search?q= &page=2&limit=50&order=desc&id=1 ?v=1.2.3 user session account admin password email name
        c:\windows\system32\svchost.exe -k netsvcs -p -s c:\windows\system32\cmd.exe /c c:\windows\syswow64\rundll32.exe ,dllmain
        c:\windows\system32\windowspowershell\v1.0\powershell.exe -noprofile -executionpolicy bypass -file -command -nop -w hidden -enc
        c:\program files\ c:\program files (x86)\microsoft\edge\application\msedge.exe --type=renderer \google\chrome\chrome.exe
        c:\users\public\ c:\users\administrator\appdata\local\temp\ \appdata\roaming\microsoft\windows\start menu\programs\startup\
        \explorer.exe \services.exe \lsass.exe \winlogon.exe \taskhostw.exe \wmiprvse.exe \conhost.exe 0xffffffff -forcev1
        \msiexec.exe /i /q \regsvr32.exe /s \mshta.exe \wscript.exe \cscript.exe \schtasks.exe /create /tn /tr /sc \reg.exe add query
        \net.exe \net1.exe user /add localgroup \sc.exe \whoami.exe \ipconfig.exe \tasklist.exe \systeminfo.exe \certutil.exe \curl.exe
        \winword.exe \excel.exe \outlook.exe \notepad.exe \python.exe \java.exe \w3wp.exe \sqlservr.exe \searchindexer.exe \msbuild.exe
        hklm\software\microsoft\windows\currentversion\run\ hkcu\software\classes\ hklm\system\currentcontrolset\services\ \wow6432node\
        dword (0x00000001) binary data microsoft corporation microsoft windows operating system nt authority\system network service
        ntdll.dll kernel32.dll kernelbase.dll user32.dll advapi32.dll clr.dll amsi.dll .exe .dll .ps1 .bat .vbs .tmp .txt .log .lnk
        c:\programdata\microsoft\windows defender\ .xml .json .zip .doc .docx .pdf .js .htm .sys .dat .cab .msi .ini "c:\ "/c "-c
        localhost 127.0.0.1 10.0.0.1 192.168.1.1 true false - null security system application medium high workstation domain
        usr/bin/bash -c usr/bin/sudo /bin/sh /usr/sbin/sshd /var/log/ /etc/ /tmp/ /home/ /root/ /dev/null python3 systemd cron curl
        """#.utf8)

    /// Where in the ordinary text every window of one to four bytes stands.
    private static let ordinaryWindows: [UInt64: [Int32]] = {
        var places: [UInt64: [Int32]] = [:]
        for width in 1...4 {
            for place in 0...ordinaryText.count - width {
                places[window(ordinaryText, place, width), default: []].append(Int32(place))
            }
        }
        return places
    }()

    /// Up to four bytes, and above them how many they are.
    private static func window(_ text: [UInt8], _ start: Int, _ width: Int) -> UInt64 {
        var window = UInt64(width)
        for index in start..<start + width { window = window << 8 | UInt64(text[index]) }
        return window
    }

    private static func isOrdinary(_ text: [UInt8], _ start: Int, _ width: Int) -> Bool {
        ordinaryWindows[window(text, start, width)] != nil
    }

    /// Whole values that ordinary events are full of, in lower case, and the bits of each: what most requests ask with and get, a program
    /// that starts, what stands for nothing.
    private static let ordinaryValues: [[UInt8]: Double] = [
        "get": 0.5, "200": 0.5, "304": 2, "404": 3, "post": 3, "1": 1, "0": 1, "-": 1, "true": 1, "false": 1, "/": 4,
    ].reduce(into: [:]) { $0[Array($1.key.utf8)] = $1.value }
    /// Of another whole value, however ordinary its letters are: it is one of many.
    private static let leastBitsOfWhole = 4.0

    /// Minus the binary logarithm of how often a literal stands in a value where its anchor wants it, roughly.
    static func bits(_ literal: LiteralIndex.Literal) -> Double {
        guard literal.anchor == .equals else { return bits(literal.bytes) }
        return ordinaryValues[literal.bytes] ?? max(bits(literal.bytes), leastBitsOfWhole)
    }

    /// Minus the binary logarithm of how often a literal stands in a value, roughly.
    static func bits(_ literal: [UInt8]) -> Double {
        if stands(literal) { return 1 + Double(min(literal.count, 24)) * 0.125 }
        let sum = literal.reduce(0) { $0 + bits($1) }
        // What is made of ordinary pieces is not as rare as its letters say.
        let strange =
            literal.count < 4 ? 0 : (0...literal.count - 4).count { !isOrdinary(literal, $0, 4) }
        return min(sum * 0.6 + Double(min(strange, 8)), 40)
    }

    private static func bits(_ byte: UInt8) -> Double {
        switch byte {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "n"), UInt8(ascii: "o"), UInt8(ascii: "s"),
            UInt8(ascii: "t"), UInt8(ascii: "r"), UInt8(ascii: " "), UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "."):
            3.5
        case UInt8(ascii: "0")...UInt8(ascii: "9"): 4
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"): 5
        case UInt8(ascii: "j"), UInt8(ascii: "q"), UInt8(ascii: "x"), UInt8(ascii: "z"): 7
        default: 7
        }
    }

    private static func stands(_ literal: [UInt8]) -> Bool {
        guard !literal.isEmpty, let places = ordinaryWindows[window(literal, 0, min(literal.count, 4))] else { return false }
        if literal.count <= 4 { return true }
        return places.contains { place in
            let end = Int(place) + literal.count
            return end <= ordinaryText.count && ordinaryText[Int(place)..<end].elementsEqual(literal)
        }
    }

    /// Where in the literal so many windows begin, each a byte behind the other, by which it is best known.
    static func rarestWindows(of literal: [UInt8], width: Int, count: Int) -> Int {
        let rarities = (0...literal.count - width).map { offset in
            let letters = literal[offset..<offset + width].reduce(0) { $0 + self.bits($1) }
            return letters + (isOrdinary(literal, offset, width) ? 0 : 64)
        }
        var best = 0
        var most = -1.0
        for offset in 0...rarities.count - count {
            // The one that ordinary text has most says how often it is seen.
            let least = rarities[offset..<offset + count].reduce(.infinity, min)
            if least > most {
                most = least
                best = offset
            }
        }
        return best
    }
}
