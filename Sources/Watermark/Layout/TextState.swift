/// What operators set of text (ISO 32000-1 §9.3), saved and restored with the graphics state.
struct TextState {
    var characterSpacing = 0.0
    var wordSpacing = 0.0
    /// 1 is normal.
    var horizontalScale = 1.0
    var leading = 0.0
    var rise = 0.0
    var size = 0.0
    var renderMode = 0
    var font: Font = .none

    /// Neither filled nor stroked: 3, and 7, which only clips.
    var isInvisible: Bool { renderMode == 3 || renderMode == 7 || font.isHiddenText }
}

struct GraphicsState {
    var transformation: Matrix
    var text = TextState()
}
