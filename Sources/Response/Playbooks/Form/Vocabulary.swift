/// The word lists of CACAO 2.0. Open ones (`-ov`) may be left, which is a warning; closed ones (`-enum`) may not.
enum Vocabulary {
    /// §3.1.1
    static let playbookTypes: Set<String> = [
        "attack", "detection", "engagement", "investigation", "mitigation", "notification", "prevention", "remediation",
    ]
    /// §3.1.2
    static let activities: Set<String> = [
        "compose-content", "deliver-content", "identify-audience", "identify-channel", "scan-system", "match-indicator",
        "analyze-collected-data", "identify-indicators", "scan-vulnerabilities", "configure-systems", "restrict-access",
        "disconnect-system", "eliminate-risk", "revert-system", "restore-data", "restore-capabilities", "map-network",
        "identify-steps", "step-sequence", "prepare-engagement", "execute-operation", "analyze-engagement-results",
    ]
    /// §5.1
    static let commandTypes: Set<String> = Set(Command.Kind.allCases.map(\.rawValue))
    /// §7.1
    static let agentTypes: Set<String> = Set(AgentTarget.Kind.allCases.map(\.rawValue))
    /// §6.1
    static let authenticationTypes: Set<String> = ["http-basic", "oauth2", "user-auth"]
    /// §9.1
    static let markingTypes: Set<String> = ["marking-tlp", "marking-iep", "marking-statement"]
    /// §4.2
    static let stepTypes: Set<String> = [
        "start", "end", "action", "playbook-action", "parallel", "if-condition", "while-condition", "switch-condition",
    ]
    /// §10.18.4
    static let variableTypes: Set<String> = [
        "bool", "dictionary", "float", "hexstring", "integer", "ipv4-addr", "ipv6-addr", "long", "mac-addr", "hash", "md5-hash",
        "sha256-hash", "string", "uri", "uuid",
    ]
    static let securityCategories: Set<String> = [
        "aaa", "analytics", "caldera", "content-gateway", "desktop", "endpoint", "firewall", "handset", "ids", "ips", "kali",
        "manx", "orchestrator", "os-linux", "os-mac", "os-windows", "redcanary-atomicred", "ragdoll", "router", "sandcat",
        "server", "siem", "switch", "ticketing", "tip", "wireless",
    ]
    static let signatureAlgorithms: Set<String> = [
        "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "Ed25519", "Ed448", "XMSS-SHA2_10_256",
        "XMSS-SHA2_16_256", "XMSS-SHA2_20_256", "LMS_SHA256_M32_H5", "LMS_SHA256_M32_H10", "LMS_SHA256_M32_H15",
        "LMS_SHA256_M32_H20", "LMS_SHA256_M32_H25",
    ]
    static let trafficLights: Set<String> = ["TLP:RED", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:GREEN", "TLP:CLEAR"]
    static let addressKinds: Set<String> = ["dname", "ipv4", "ipv6", "l2mac", "vlan", "url"]
    /// §7.7.1
    static let sectors: Set<String> = [
        "aerospace", "aviation", "agriculture", "automotive", "biotechnology", "chemical", "commercial", "consulting",
        "construction", "cosmetics", "critical-infrastructure", "dams", "defense", "education", "emergency-services", "energy",
        "non-renewable-energy", "renewable-energy", "media", "financial", "food", "gambling", "government", "local-government",
        "national-government", "regional-government", "public-services", "healthcare", "information-communications-technology",
        "electronics-hardware", "software", "telecommunications", "legal-services", "lodging", "manufacturing", "maritime",
        "metals", "mining", "non-profit", "humanitarian-aid", "human-rights", "nuclear", "petroleum", "pharmaceuticals",
        "research", "transportation", "logistics-shipping", "utilities", "video-game", "water",
    ]
    /// §10.4.1
    static let regions: Set<String> = [
        "africa", "eastern-africa", "middle-africa", "northern-africa", "southern-africa", "western-africa", "americas",
        "caribbean", "central-america", "latin-america-caribbean", "northern-america", "south-america", "asia", "central-asia",
        "eastern-asia", "southern-asia", "south-eastern-asia", "western-asia", "europe", "eastern-europe", "northern-europe",
        "southern-europe", "western-europe", "oceania", "antarctica", "australia-new-zealand", "melanesia", "micronesia",
        "polynesia",
    ]
}
